# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the evicted leave behind, beside a plain account of it."""

from dataclasses import replace
import math

from arrivals import arrival, names, ROOM, streamed
import pytest
import torch

from benchmarks.methods.compensation import Compensation, Left
from benchmarks.methods.dense import attend_all
from benchmarks.methods.shipped import Extra


@pytest.mark.parametrize('weighted', [False, True])
def test_means_and_counts_are_of_each_frames_evicted_tokens(weighted):
    method = Compensation(ROOM, share=0.5, weighted=weighted)
    gone = {}
    for told, held in streamed(method, 8):
        if len(told.held):
            weights = method.policy.attention.score(told.context(0)).clamp_min(1e-9)
        for index, name in enumerate(names(told.held)):
            if name not in names(held):
                weight = weights[index] if weighted else torch.tensor(1.0)
                token = told.held.keys[index], told.held.values[index]
                gone.setdefault(name[0], []).append((weight, *token))
    left, extra = method.left[0], method.extra(0)

    assert left.frames.tolist() == sorted(gone)
    assert len(gone) > 2
    for index, frame in enumerate(sorted(gone)):
        weights, keys, values = (torch.stack(part) for part in zip(*gone[frame], strict=True))
        shares = (weights / weights.sum())[:, None, None]
        # As often as the mean changes it is rounded, to 8 bits.
        assert torch.allclose(left.keys[index], (shares * keys).sum(0), atol=0.06)
        assert torch.allclose(left.values[index], (shares * values).sum(0), atol=0.06)
        assert extra.bias[index] == pytest.approx(math.log(len(keys)))


def test_of_equal_tokens_nothing_is_lost():
    """N equal tokens weigh in a softmax as one with ln n on its logit."""
    told = arrival(next(held for _, held in streamed(Compensation(ROOM), 1)), 1)
    key, value = torch.randn(2, 1, 2, 8, generator=torch.Generator().manual_seed(5))
    several = replace(
        told,
        keys=torch.cat([told.keys, key.repeat(5, 1, 1)]),
        values=torch.cat([told.values, value.repeat(5, 1, 1)]),
    )
    extra = Extra(key, value, torch.tensor([math.log(5)]))

    assert torch.allclose(attend_all(told, extra), attend_all(several, None), atol=1e-6)
    assert not torch.allclose(attend_all(told, extra), attend_all(told, None), atol=1e-3)


def test_the_oldest_means_become_one():
    keys, values = torch.randn(2, 4, 2, 8, generator=torch.Generator().manual_seed(6))
    counts = torch.tensor([1.0, 3.0, 2.0, 5.0])
    merged = Left(keys, values, torch.tensor([1, 2, 4, 7]), counts, counts).merged(2)

    assert merged.frames.tolist() == [4, 7]
    assert merged.counts.tolist() == [6, 5]
    expected = (1 * keys[0] + 3 * keys[1] + 2 * keys[2]) / 6
    assert torch.allclose(merged.keys[0], expected, atol=1e-6)
    assert torch.equal(merged.values[1], values[3])
