# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pruning one block and no other."""

from arrivals import ROOM, streamed
import torch

from benchmarks.methods.catalogue import blocks


def test_one_block_is_pruned_and_nothing_is_rounded():
    method = blocks(2)['2 of 2, attention_value'](ROOM)
    *_, (_, all_held) = streamed(method, 8, layer=0)
    *_, (told, held) = streamed(method, 8, layer=1)

    assert len(all_held) == 8 * 7
    assert len(held) == ROOM.slots
    assert torch.equal(held.keys[-7:], told.new_keys)


def test_there_is_a_row_for_each_block_and_policy():
    assert len(blocks(4)) == 8
