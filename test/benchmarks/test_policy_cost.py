# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What scoring costs: every policy finds what it needs."""

from dataclasses import replace

import pytest
import torch

from benchmarks.policy_cost import context, FRAME, QUARTERS
from xstreamvggt_ros.cache.policies import POLICIES


@pytest.fixture(scope='module')
def case():
    return context(FRAME.tokens, torch.Generator().manual_seed(0))


@pytest.mark.parametrize('layer', range(QUARTERS))
@pytest.mark.parametrize('name', sorted(POLICIES))
def test_every_policy_scores_what_is_timed(case, name, layer):
    score = POLICIES[name]().score(replace(case, layer=layer))

    assert score.shape == (case.held,)
    assert torch.isfinite(score.float()).all()
