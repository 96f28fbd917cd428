# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What lies between the convolutions of a dense head, channels last, one Triton kernel each."""

from __future__ import annotations

import torch
from torch import Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch, next_power_of_two

_NUMBERS, _PIXELS = 1024, 64


@triton.jit
def _position(across, down, channel, column, row, live, CHANNELS: tl.constexpr):
    """Give the embedding of the image grid: half the channels go by column, half by row."""
    half: tl.constexpr = CHANNELS // 2
    by_column = channel < half
    place = tl.where(by_column, column * half + channel, 0)
    x = tl.load(across + place, mask=live & by_column, other=0).to(tl.float32)
    place = tl.where(by_column, 0, row * half + channel - half)
    return x + tl.load(down + place, mask=live & (channel >= half), other=0).to(tl.float32)


@triton.jit
def _finish(
    maps, bias, first, second, across, down, numbers, columns, pixels,
    CHANNELS: tl.constexpr, HAS_BIAS: tl.constexpr, ADDS: tl.constexpr,
    POSITIONS: tl.constexpr, RECTIFIES: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Add to a map, in place."""
    number = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = number < numbers
    channel, pixel = number % CHANNELS, number // CHANNELS % pixels
    value = tl.load(maps + number, mask=live, other=0).to(tl.float32)
    if HAS_BIAS:
        value += tl.load(bias + channel, mask=live, other=0).to(tl.float32)
    if ADDS >= 1:
        value += tl.load(first + number, mask=live, other=0).to(tl.float32)
    if ADDS >= 2:
        value += tl.load(second + number, mask=live, other=0).to(tl.float32)
    if POSITIONS:
        value += _position(
            across, down, channel, pixel % columns, pixel // columns, live, CHANNELS
        )
    if RECTIFIES:
        # What is not a number stays so.
        value = tl.where(value < 0, 0.0, value)
    tl.store(maps + number, value.to(maps.dtype.element_ty), mask=live)


def finish(
    maps: Tensor, bias: Tensor | None = None, *added: Tensor,
    axes: tuple[Tensor, Tensor] | None = None, rectify: bool = False,
) -> Tensor:  # fmt: skip
    """
    Add a bias (C,), up to two maps and the position of each pixel to a map, in place; return it.

    Maps are (B, C, h, w), channels last. axes: (1, C / 2, 1, w) by column and (1, C / 2, h, 1) by
    row. With `rectify` what is below zero becomes zero.
    """
    rows, columns = maps.shape[-2:]
    one, other = (*added, maps, maps)[:2]
    launch(
        _finish, (triton.cdiv(maps.numel(), _NUMBERS),), maps, maps if bias is None else bias,
        one, other, *(axes or (maps, maps)), maps.numel(), columns, rows * columns,
        CHANNELS=maps.shape[1], HAS_BIAS=bias is not None, ADDS=len(added),
        POSITIONS=axes is not None, RECTIFIES=rectify, BLOCK=_NUMBERS,
    )  # fmt: skip
    return maps


@triton.jit
def _resize(
    maps, bias, across, down, out, numbers, rows, columns, out_rows, out_columns,
    down_by, right_by,
    CHANNELS: tl.constexpr, HAS_BIAS: tl.constexpr, POSITIONS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Take each number of the larger map from the four around its place in the smaller one."""
    number = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    live = number < numbers
    channel, pixel = number % CHANNELS, number // CHANNELS
    column, row = pixel % out_columns, pixel // out_columns % out_rows
    image = pixel // (out_columns * out_rows)
    y, x = row.to(tl.float32) * down_by, column.to(tl.float32) * right_by
    top, left = tl.minimum(y.to(tl.int32), rows - 1), tl.minimum(x.to(tl.int32), columns - 1)
    bottom, right = tl.minimum(top + 1, rows - 1), tl.minimum(left + 1, columns - 1)
    y, x = y - top.to(tl.float32), x - left.to(tl.float32)
    above, below = image * rows + top, image * rows + bottom
    # Unrolled: Triton has no lists of blocks.
    a = tl.load(maps + (above * columns + left) * CHANNELS + channel, mask=live, other=0)
    b = tl.load(maps + (above * columns + right) * CHANNELS + channel, mask=live, other=0)
    c = tl.load(maps + (below * columns + left) * CHANNELS + channel, mask=live, other=0)
    d = tl.load(maps + (below * columns + right) * CHANNELS + channel, mask=live, other=0)
    upper = a.to(tl.float32) * (1 - x) + b.to(tl.float32) * x
    lower = c.to(tl.float32) * (1 - x) + d.to(tl.float32) * x
    value = upper * (1 - y) + lower * y
    if HAS_BIAS:
        value += tl.load(bias + channel, mask=live, other=0).to(tl.float32)
    if POSITIONS:
        value += _position(across, down, channel, column, row, live, CHANNELS)
    tl.store(out + number, value.to(out.dtype.element_ty), mask=live)


def resize(
    maps: Tensor, size: tuple[int, int], bias: Tensor | None = None,
    axes: tuple[Tensor, Tensor] | None = None,
) -> Tensor:  # fmt: skip
    """
    Resize maps (B, C, h, w), channels last, to (B, C, *size), bilinear with aligned corners.

    A bias (C,) and the position of each pixel, as in `finish`, are added.
    """
    batch, channels, rows, columns = maps.shape
    out = torch.empty(
        batch, channels, *size, dtype=maps.dtype, device=maps.device,
        memory_format=torch.channels_last,
    )  # fmt: skip
    steps = [(old - 1) / max(new - 1, 1) for old, new in zip((rows, columns), size, strict=True)]
    launch(
        _resize, (triton.cdiv(out.numel(), _NUMBERS),), maps, maps if bias is None else bias,
        *(axes or (maps, maps)), out, out.numel(), rows, columns, *size, *steps,
        CHANNELS=channels, HAS_BIAS=bias is not None, POSITIONS=axes is not None, BLOCK=_NUMBERS,
    )  # fmt: skip
    return out


@triton.jit
def _give(
    maps, bias, weight, out_bias, out, pixels, count,
    CHANNELS: tl.constexpr, OUTPUTS: tl.constexpr, BLOCK: tl.constexpr, PIXELS: tl.constexpr,
):  # fmt: skip
    """Rectify a map and mix its channels into the outputs."""
    pixel = tl.program_id(0).to(tl.int64) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.arange(0, BLOCK)
    live = pixel < count
    there = channel < CHANNELS
    place = pixel[:, None] * CHANNELS + channel[None, :]
    value = tl.load(maps + place, mask=live[:, None] & there[None, :], other=0).to(tl.float32)
    value += tl.load(bias + channel, mask=there, other=0).to(tl.float32)[None, :]
    # Rounded as the convolution's output is.
    value = value.to(maps.dtype.element_ty).to(tl.float32)
    value = tl.where(value < 0, 0.0, value)
    image, within = pixel // pixels, pixel % pixels
    for output in tl.static_range(OUTPUTS):
        factor = tl.load(weight + output * CHANNELS + channel, mask=there, other=0).to(tl.float32)
        given = tl.sum(value * factor[None, :], axis=1) + tl.load(out_bias + output)
        tl.store(out + (image * OUTPUTS + output) * pixels + within, given, mask=live)


def give(maps: Tensor, bias: Tensor, weight: Tensor, out_bias: Tensor) -> Tensor:
    """
    Return raw outputs (B, O, h, w), fp32: a 1 x 1 convolution of the rectified maps + bias.

    maps (B, C, h, w), channels last; weight (O, C, 1, 1) and out_bias (O,) fp32.
    """
    batch, channels, rows, columns = maps.shape
    out = torch.empty(batch, len(weight), rows, columns, dtype=torch.float32, device=maps.device)
    count = batch * rows * columns
    launch(
        _give, (triton.cdiv(count, _PIXELS),), maps, bias, weight, out_bias, out,
        rows * columns, count,
        CHANNELS=channels, OUTPUTS=len(weight), BLOCK=next_power_of_two(channels), PIXELS=_PIXELS,
    )  # fmt: skip
    return out
