# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tokens as rounded differences, beside a plain account of it."""

from arrivals import names, ROOM, streamed
import pytest
import torch

from benchmarks.methods.residual import REFERENCE, Residual
from benchmarks.methods.rounding import rounded
from benchmarks.methods.tiers import NARROW


@pytest.mark.parametrize('by_cell', [False, True])
def test_a_difference_is_to_the_nearest_wide_token_that_stays(by_cell):
    method = Residual(ROOM, share=0.4, by_cell=by_cell)
    before, seen = {}, 0
    for told, held in streamed(method, 9):
        gain = method.key_rounding(told).gain
        tokens = zip(told.held.keys, told.held.values, strict=True)
        was = dict(zip(names(told.held), tokens, strict=True))
        wide = [each for each in names(held.take(~held.notes[NARROW])) if each in was]
        for index, name in enumerate(names(held)):
            if not held.notes[NARROW][index] or before.get(name):
                continue
            key, value = was[name]
            same = [each for each in wide if each[1] == name[1]] if by_cell else []
            nearest = min(same or wide, key=lambda each: (was[each][0] - key).norm().item())
            assert held.notes[REFERENCE][index] == nearest[0] * 7 + nearest[1]
            of_key, of_value = was[nearest]
            near = of_key + rounded(((key - of_key) / gain)[None], 2)[0] * gain
            assert torch.allclose(held.keys[index], near, atol=1e-5)
            near = of_value + rounded((value - of_value)[None], 2)[0]
            assert torch.allclose(held.values[index], near, atol=1e-5)
            seen += 1
        before = dict(zip(names(held), held.notes[NARROW].tolist(), strict=True))
    assert seen > 10


def test_what_is_referred_to_stays_as_long_as_it_is():
    method = Residual(ROOM, share=0.5)
    for _, held in streamed(method, 20):
        wide = {frame * 7 + grid for frame, grid in names(held.take(~held.notes[NARROW]))}
        referred = held.notes[REFERENCE][held.notes[NARROW]]
        assert set(referred.tolist()) <= wide
    assert len(referred)
