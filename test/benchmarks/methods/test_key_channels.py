# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Dropped channels of keys, beside a plain account of it."""

from arrivals import arrival, empty, ROOM
import torch

from benchmarks.methods.key_channels import KeyChannels, wanted
from benchmarks.methods.rounding import rounded


def test_the_channels_of_the_largest_products_of_norms_are_wanted():
    told = arrival(empty(), 0)
    chosen = wanted(told.queries, told.new_keys, 6)

    for head in range(2):
        products = []
        for channel in range(8):
            query, key = told.queries[head, :, channel], told.new_keys[:, head, channel]
            # The Frobenius norm of their outer product, as ThinK has it.
            products.append(torch.outer(query, key).norm())
        best = torch.stack(products).argsort(descending=True)[:6]
        assert set(chosen[head].tolist()) == set(best.tolist())


def test_the_others_read_as_their_offset_and_no_later_frame_changes_which():
    method = KeyChannels(ROOM, dropped=0.25)
    first = arrival(empty(), 0)
    held = method.admit(first)
    kept = wanted(first.queries, first.new_keys, 6)
    second = arrival(held, 1)
    stored = method.admit(second).keys[7:]
    factors = method.key_rounding(first)

    for head in range(2):
        dropped = [channel for channel in range(8) if channel not in kept[head].tolist()]
        assert len(dropped) == 2
        offset = factors.offset[head, dropped]
        assert torch.allclose(stored[:, head, dropped], offset.expand(7, -1), atol=1e-6)
        gain, middle = factors.gain[head, kept[head]], factors.offset[head, kept[head]]
        plain = ((second.new_keys[:, head, kept[head]] - middle) / gain)[:, None]
        expected = rounded(plain, 4)[:, 0] * gain + middle
        assert torch.allclose(stored[:, head, kept[head]], expected, atol=1e-5)


def test_what_is_saved_holds_more_tokens():
    assert KeyChannels(ROOM, dropped=0.25).slots(0) > ROOM.slots
