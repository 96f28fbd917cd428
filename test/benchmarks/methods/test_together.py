# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two methods at once."""

from arrivals import names, ROOM, streamed
import pytest
import torch

from benchmarks.methods.accumulated import SUM
from benchmarks.methods.together import Together


@pytest.mark.parametrize('alone', [False, True])
def test_the_evicted_weigh_in_means_by_their_sums(alone):
    method = Together(ROOM, decay=1.0, alone=alone)
    weights, values = [], []
    for told, held in streamed(method, 7):
        # Noted before the frame came; what it adds decides with it.
        newest = method.newest.score(told.context(0)) if len(told.held) else []
        for index, name in enumerate(names(told.held)):
            if name not in names(held):
                weights.append((told.held.notes[SUM][index] + newest[index]).half().float())
                values.append(told.held.values[index])
    left = method.left[0]
    weights, values = torch.stack(weights)[:, None, None], torch.stack(values)

    # So small a cache has room for one mean, of all of them.
    assert left.counts.tolist() == [len(weights)]
    expected = (weights * values).sum(0) / weights.sum()
    assert torch.allclose(left.values[0], expected, atol=0.06)
    assert not torch.allclose(left.values[0], values.mean(0), atol=0.06)
