# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st
import pytest
import torch

from xstreamvggt_ros.cache.slots import choose_evictions, keep_order

SCORES = st.sampled_from(
    [float('nan'), float('-inf'), float('inf'), -2.5, -1e-40, -0.0, 0.0, 1e-40, 0.1, 7.0]
)


def rank(token):
    """Order tokens as the rule says: score, then the newer frame, then the lower grid index."""
    score, frame, grid = token
    score = float('-inf') if score != score else score + 0.0
    return (score, frame, -grid)


@given(st.lists(st.tuples(SCORES, st.integers(0, 99), st.integers(0, 2000)), min_size=1))
def test_the_order_is_score_then_newer_then_lower_in_the_grid(tokens):
    columns = zip(*tokens, strict=True)
    scores, frames, grids = (torch.tensor(column) for column in columns)
    order = keep_order(scores.float(), frames, grids, newest=100).tolist()
    by_order = sorted(range(len(tokens)), key=lambda index: order[index])
    rounded = [(float(torch.tensor(token[0])), *token[1:]) for token in tokens]
    assert [rank(rounded[index]) for index in by_order] == sorted(map(rank, rounded))


def test_protected_slots_stay_and_forced_ones_go():
    order = torch.tensor([1, 2, 3, 4, 5])
    protected = torch.tensor([True, False, False, False, False])
    forced = torch.tensor([False, False, False, False, True])
    evicted = choose_evictions(order, 2, protected, forced)
    assert sorted(evicted.tolist()) == [1, 4]


@pytest.mark.parametrize('count', [1, 3, 4])
def test_the_lowest_go(count):
    order = torch.tensor([40, 10, 30, 20, 50])
    evicted = choose_evictions(order, count, torch.zeros(5, dtype=torch.bool))
    assert sorted(evicted.tolist()) == sorted([1, 3, 2, 0][:count])
