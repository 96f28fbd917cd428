# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From packed codes back to numbers: one Triton kernel on CUDA, torch elsewhere."""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.cache.packing import unpack
from xstreamvggt_ros.ops.attention import has_triton

# Slots unpacked at a time where there is no kernel.
_CHUNK = 256


def unpack_into(
    out: Tensor,
    codes: Tensor,
    minimum: Tensor,
    step: Tensor,
    bits: int,
    channels: tuple[Tensor, Tensor] | None = None,
    group: Tensor | None = None,
) -> None:
    """
    Write the numbers that packed codes (T, H, D * bits / 8) stand for into out (T, H, D).

    A number is minimum + step * code. minimum and step are (T, H, 1), one per token and head; or,
    with group (T,) given, (G, H, D), one per group and channel. channels, a gain and an offset
    (H, D) each, are then applied to each channel.
    """
    if out.is_cuda and has_triton() and _is_power_of_two(codes.shape[-1]):
        from xstreamvggt_ros.ops.unpack import unpack_rows

        with torch.cuda.device(out.device):
            unpack_rows(codes, minimum, step, bits, out, channels, group)
        return
    # In fp32, a few slots at a time: neither a copy of the layer nor the roundings of bf16.
    for begin in range(0, len(codes), _CHUNK):
        rows = slice(begin, begin + _CHUNK)
        place = rows if group is None else group[rows].long()
        numbers = unpack(codes[rows], bits).float()
        numbers.mul_(step[place]).add_(minimum[place])
        if channels is not None:
            gain, offset = channels
            numbers.mul_(gain).add_(offset)
        out[rows] = numbers


def _is_power_of_two(number: int) -> bool:
    return number & (number - 1) == 0
