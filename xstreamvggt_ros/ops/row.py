# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One token through linear layers, with what goes before and after them, as one kernel each."""

from __future__ import annotations

import torch
from torch import nn, Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch, next_power_of_two

_OUTPUTS, _INPUTS = 16, 256
# What goes before the product, and after it.
_NOTHING, _NORM, _SILU, _GELU = 0, 1, 2, 3


@triton.jit
def _row_linear(
    x, weight, bias, norm_weight, norm_bias, residual, gain, out, outputs,
    WIDTH: tl.constexpr, BEFORE: tl.constexpr, AFTER: tl.constexpr, EPS: tl.constexpr,
    ADDS: tl.constexpr, SCALES: tl.constexpr, ROW: tl.constexpr,
    OUTPUTS: tl.constexpr, INPUTS: tl.constexpr,
):  # fmt: skip
    """Give OUTPUTS numbers of after(weight @ before(x) + bias) * gain + residual."""
    place = tl.program_id(0).to(tl.int64) * OUTPUTS + tl.arange(0, OUTPUTS)
    live = place < outputs
    mean = 0.0
    scale = 1.0
    if BEFORE == 1:
        channel = tl.arange(0, ROW)
        row = tl.load(x + channel, mask=channel < WIDTH, other=0).to(tl.float32)
        mean = tl.sum(row, axis=0) / WIDTH
        row = tl.where(channel < WIDTH, row - mean, 0.0)
        scale = 1 / tl.sqrt(tl.sum(row * row, axis=0) / WIDTH + EPS)
    total = tl.zeros([OUTPUTS, INPUTS], dtype=tl.float32)
    for begin in range(0, WIDTH, INPUTS):
        channel = begin + tl.arange(0, INPUTS)
        there = channel < WIDTH
        number = tl.load(x + channel, mask=there, other=0).to(tl.float32)
        if BEFORE == 1:
            factor = tl.load(norm_weight + channel, mask=there, other=0).to(tl.float32)
            shift = tl.load(norm_bias + channel, mask=there, other=0).to(tl.float32)
            number = (number - mean) * scale * factor + shift
        elif BEFORE == 2:
            number = number / (1 + tl.exp(-number))
        # Rounded as the weights are, as a product of matrices would take it.
        number = number.to(weight.dtype.element_ty).to(tl.float32)
        tile = tl.load(
            weight + place[:, None] * WIDTH + channel[None, :],
            mask=live[:, None] & there[None, :], other=0,
        )  # fmt: skip
        total += tile.to(tl.float32) * number[None, :]
    given = tl.sum(total, axis=1) + tl.load(bias + place, mask=live, other=0).to(tl.float32)
    given = given.to(weight.dtype.element_ty).to(tl.float32)
    if AFTER == 3:
        given = given * 0.5 * (1 + tl.erf(given * 0.7071067811865476))
    if SCALES:
        given = given * tl.load(gain + place, mask=live, other=0).to(tl.float32)
    if ADDS:
        given += tl.load(residual + place, mask=live, other=0).to(tl.float32)
    tl.store(out + place, given, mask=live)


def row_linear(
    x: Tensor, linear: nn.Module, *, norm: nn.LayerNorm | None = None, silu: bool = False,
    gelu: bool = False, residual: Tensor | None = None, gain: Tensor | None = None,
    out: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """
    Return linear(x) (M,), fp32, of one token x (K,).

    Before the layer a norm or SiLU, after it GELU, then each channel times its gain, plus residual
    (M,). Numbers are rounded to the weights' type where a layer of that type would round them.
    They are written to `out` (M,), fp32, where it is given.
    """
    weight = linear.weight
    outputs, width = weight.shape
    if out is None:
        out = torch.empty(outputs, dtype=torch.float32, device=x.device)
    before = _NORM if norm is not None else _SILU if silu else _NOTHING
    launch(
        _row_linear, (triton.cdiv(outputs, _OUTPUTS),), x, weight, linear.bias,
        x if norm is None else norm.weight, x if norm is None else norm.bias,
        x if residual is None else residual, x if gain is None else gain, out, outputs,
        WIDTH=width, BEFORE=before, AFTER=_GELU if gelu else _NOTHING,
        EPS=0.0 if norm is None else norm.eps, ADDS=residual is not None,
        SCALES=gain is not None, ROW=next_power_of_two(width),
        OUTPUTS=_OUTPUTS, INPUTS=_INPUTS,
    )  # fmt: skip
    return out


@triton.jit
def _modulate(modulation, normed, tokens, out, WIDTH: tl.constexpr, BLOCK: tl.constexpr):
    channel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    live = channel < WIDTH
    shift = tl.load(modulation + channel, mask=live, other=0)
    scale = tl.load(modulation + WIDTH + channel, mask=live, other=0)
    gate = tl.load(modulation + 2 * WIDTH + channel, mask=live, other=0)
    number = gate * (tl.load(normed + channel, mask=live, other=0) * (1 + scale) + shift)
    tl.store(out + channel, number + tl.load(tokens + channel, mask=live, other=0), mask=live)


def modulate(modulation: Tensor, normed: Tensor, tokens: Tensor) -> Tensor:
    """Return gate * (normed * (1 + scale) + shift) + tokens (C,); shift, scale, gate (3 C,)."""
    width = len(tokens)
    out = torch.empty_like(tokens)
    launch(
        _modulate, (triton.cdiv(width, _INPUTS),), modulation, normed, tokens, out,
        WIDTH=width, BLOCK=_INPUTS,
    )  # fmt: skip
    return out


def fits(linear: nn.Module) -> bool:
    """Whether the kernel takes the layer's weights."""
    weight = getattr(linear, 'weight', None)
    return (
        isinstance(weight, Tensor)
        and weight.dtype in (torch.float32, torch.bfloat16, torch.float16)
        and weight.is_contiguous()
        and getattr(linear, 'bias', None) is not None
    )
