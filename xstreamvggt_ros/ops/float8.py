# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows to 8-bit floats as one Triton kernel; imported only where Triton runs."""

from __future__ import annotations

import torch
from torch import Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch, next_power_of_two

_LARGEST = tl.constexpr(448.0)
_LEAST = tl.constexpr(1e-12)
# Below this power of two all numbers are as far apart; three bits of mantissa divide each above.
_LEAST_POWER = tl.constexpr(2.0**-6)
# Added to a number in fp32 and taken away again, it leaves the nearest whole one.
_ROUNDS = tl.constexpr(1.5 * 2**23)


@triton.jit
def _rows_to_float8(x, codes, steps, width, GELU: tl.constexpr, BLOCK: tl.constexpr):
    """Take one row: its largest number, then codes of all."""
    row = tl.program_id(0).to(tl.int64)
    channel = tl.arange(0, BLOCK)
    live = channel < width
    numbers = tl.load(x + row * width + channel, mask=live, other=0).to(tl.float32)
    if GELU:
        numbers = 0.5 * numbers * (1 + tl.erf(numbers * 0.7071067811865476))
    # A number that is none must not be hidden by the largest of the others.
    bad = tl.sum(tl.where(numbers != numbers, 1, 0), axis=0)
    step = tl.maximum(tl.max(tl.abs(numbers), axis=0) / _LARGEST, _LEAST)
    step = tl.where(bad > 0, float('nan'), step)
    scaled = tl.minimum(tl.maximum(numbers / step, -_LARGEST), _LARGEST)
    # To the nearest number that there is, so that the cast has nothing left to round.
    power = (scaled.to(tl.int32, bitcast=True) & 0x7F800000).to(tl.float32, bitcast=True)
    unit = tl.maximum(power, _LEAST_POWER) * 0.125
    rounded = ((scaled / unit + _ROUNDS) - _ROUNDS) * unit
    tl.store(codes + row * width + channel, rounded.to(codes.dtype.element_ty), mask=live)
    tl.store(steps + row, step)


def rows_to_float8(x: Tensor, gelu: bool) -> tuple[Tensor, Tensor]:
    """
    Round rows (M, K) to e4m3 codes of that shape and one step a row (M, 1) fp32.

    With `gelu`, of what GELU (the exact one) makes of them.
    """
    rows, width = x.shape
    codes = torch.empty(rows, width, dtype=torch.float8_e4m3fn, device=x.device)
    steps = torch.empty(rows, 1, dtype=torch.float32, device=x.device)
    block = next_power_of_two(width)
    launch(_rows_to_float8, (rows,), x.contiguous(), codes, steps, width, GELU=gelu, BLOCK=block)
    return codes, steps
