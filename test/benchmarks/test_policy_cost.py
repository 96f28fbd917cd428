# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What scoring costs: every policy finds what it needs."""

import pytest
import torch

from benchmarks.policy_cost import context, FRAME
from xstreamvggt_ros.cache.policies import POLICIES


@pytest.fixture(scope='module')
def case():
    return context(FRAME.tokens, torch.Generator().manual_seed(0))


@pytest.mark.parametrize('name', sorted(POLICIES))
def test_every_policy_scores_what_is_timed(case, name):
    score = POLICIES[name]().score(case)

    assert score.shape == (case.held,)
    assert torch.isfinite(score.float()).all()
