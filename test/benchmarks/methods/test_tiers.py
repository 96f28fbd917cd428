# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fewer bits before eviction, beside a plain account of it."""

from arrivals import arrival, FRAME, names, ROOM, streamed
import pytest
import torch

from benchmarks.methods.tiers import NARROW, Tiers
from xstreamvggt_ros.cache.codecs.affine import quantise

FRAMES = 9


def test_the_lowest_wide_ones_are_narrowed_and_the_lowest_narrow_ones_evicted():
    method = Tiers(ROOM, share=0.4)
    narrowed = evicted = 0
    before = None
    for told, held in streamed(method, FRAMES):
        if before is not None:
            worth = dict(zip(names(before), method.order(told, len(before)).tolist(), strict=True))
            wide = set(names(before.take(~before.notes[NARROW])))
            fixed = {name for name in wide if name[0] == 0}
            room = method.slots(0) - FRAME.tokens
            leave = sorted(wide - fixed, key=worth.get)[: max(len(wide) - room, 0)]
            narrow = set(names(before)) - wide | set(leave)
            beyond = max(len(narrow) - method.narrow_slots, 0)
            narrow -= set(sorted(narrow, key=worth.get)[:beyond])
            assert set(names(held.take(held.notes[NARROW]))) == narrow
            narrowed, evicted = narrowed + len(leave), evicted + beyond
        before = held
    assert narrowed > evicted > 0


def test_the_second_rounding_is_of_the_codes_of_the_first():
    """Of the codes 0 to 15 of a head, every fifth is left."""
    method = Tiers(ROOM, share=0.5)
    told = arrival(next(held for _, held in streamed(method, 1)), 1)
    held = told.held
    stored = method.demote(held, torch.tensor([2, 4]), told)
    codes, minimum, step = quantise(held.values, 4, dim=-1)
    expected = minimum.float() + 5 * step.float() * (codes / 5).round()

    assert torch.allclose(stored.values[[2, 4]], expected[[2, 4]], atol=0.01)
    assert torch.equal(stored.values[[0, 1, 3, 5, 6]], held.values[[0, 1, 3, 5, 6]])
    gain, offset = method.key_rounding(told).gain, method.key_rounding(told).offset
    codes, minimum, step = quantise((held.keys - offset) / gain, 4, dim=-1)
    expected = minimum.float() + 5 * step.float() * (codes / 5).round()
    assert torch.allclose(stored.keys[[2, 4]], (expected * gain + offset)[[2, 4]], atol=0.01)


def test_keys_can_stay_as_they_are():
    method = Tiers(ROOM, share=0.5, key_bits=4)
    told = arrival(next(held for _, held in streamed(method, 1)), 1)
    stored = method.demote(told.held, torch.tensor([2]), told)

    assert torch.equal(stored.keys, told.held.keys)
    assert not torch.equal(stored.values, told.held.values)


@pytest.mark.parametrize('share', [0.2, 0.6])
def test_narrow_tokens_take_that_share_of_the_bytes(share):
    method = Tiers(ROOM, share=share)
    *_, (_, held) = streamed(method, FRAMES)
    taken = int(held.notes[NARROW].sum()) * method.narrow_bytes
    whole = method.layer_bytes(0, held) - ROOM.fixed_bytes

    assert taken / whole == pytest.approx(share, abs=0.05)
    assert len(held) > ROOM.slots
