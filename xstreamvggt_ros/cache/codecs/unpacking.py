# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From packed codes back to numbers, by torch; `ops.unpack` is the same as one kernel."""

from __future__ import annotations

from torch import Tensor

from xstreamvggt_ros.cache.packing import unpack
from xstreamvggt_ros.ops.stored import Stored

# Slots unpacked at a time.
_CHUNK = 256


def unpack_into(out: Tensor, stored: Stored) -> None:
    """Write what the first T slots hold into out (T, H, D)."""
    # In fp32, a few slots at a time: neither a copy of the layer nor the roundings of bf16.
    for begin in range(0, len(out), _CHUNK):
        rows = slice(begin, min(begin + _CHUNK, len(out)))
        place = rows if stored.group is None else stored.group[rows].long()
        numbers = unpack(stored.rows[rows], stored.bits).float()
        numbers.mul_(stored.step[place]).add_(stored.minimum[place])
        if stored.channels is not None:
            gain, offset = stored.channels
            numbers.mul_(gain).add_(offset)
        out[rows] = numbers
