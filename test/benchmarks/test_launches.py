# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many kernels a frame launches on CUDA at the full shape, held for every policy."""

from dataclasses import replace

import pytest
import torch

from benchmarks import launches
from benchmarks.launches import by_part, count_captured, count_launches, PARTS
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.cache.policies import POLICIES
from xstreamvggt_ros.model import ModelConfig

pytest.importorskip('triton', reason='Triton is not installed')

FULL = CacheConfig.recommended().with_budget(budget_tokens=2048)
# Those with kernels of their own come first; baselines and other papers' take torch's operators.
BOUNDS = {
    'attention_value': 940,
    'query_key': 940,
    'frame_diversity': 940,
    'attention_coverage': 950,
    'sink_recent': 920,
    'random': 2210,
    'key_diversity': 1400,
    'tar_van': 1800,
    'snapkv': 3960,
}


def test_every_policy_has_a_bound():
    assert BOUNDS.keys() == POLICIES.keys()
    assert BOUNDS[CacheConfig.recommended().policy] <= BOUNDS['attention_value'] + 10


@pytest.mark.parametrize('policy', sorted(BOUNDS))
def test_a_steady_frame_launches_no_more_than_its_bound(policy):
    counts = count_launches(ModelConfig(), replace(FULL, policy=policy))
    parts = by_part(counts)
    assert parts.keys() <= set(PARTS) and parts['cache: attend'] == 24
    # Not so low that something is not counted: each block has its products.
    assert 800 < sum(parts.values()) <= BOUNDS[policy]


def test_a_count_that_fails_leaves_the_network_as_it_was(monkeypatch):
    def fail(*arguments):
        raise RuntimeError('no result')

    counted = ModelConfig.preset('tiny'), FULL, (168, 224)
    before = count_launches(*counted)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match='no result'):
        patch.setattr(launches, 'frame_from', fail)
        count_launches(*counted)

    network = launches._network(counted[0], torch.bfloat16)
    assert not any(
        'forward' in vars(each) or 'advance' in vars(each) for each in network.modules()
    )
    assert count_launches(*counted) == before


def test_of_a_captured_frame_the_host_launches_a_handful():
    counts = count_captured(ModelConfig.preset('tiny'), FULL, (168, 224))
    assert counts['other', 'graph'] == 1
    # The image and the clock in, six tensors out.
    assert sum(counts.values()) <= 10


def test_what_is_launched_is_what_the_operators_are():
    small = replace(FULL, policy='sink_recent')
    counts = count_launches(ModelConfig.preset('tiny'), small, (168, 224), torch.bfloat16)
    # Two blocks of the encoder and four pairs, four products each; the depth head's eight.
    assert sum(count for (_, name), count in counts.items() if name == 'addmm') == 4 * 10 + 8
    assert counts['cache: read', '_unpack_both'] == counts['cache: store', '_store_frame'] == 4
    without = count_launches(
        ModelConfig.preset('tiny'), replace(small, bits=16), (168, 224), torch.bfloat16
    )
    assert without['cache: read', 'copy_'] == 2 * 4
