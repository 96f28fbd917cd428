# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A branch's sum with what it branched off from, and the layer norm of that, as one kernel."""

from __future__ import annotations

import torch
from torch import nn, Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch, next_power_of_two

# Wider rows would not fit into the registers of a block of threads.
MOST_CHANNELS = 16384


@triton.jit
def _residual_norm(
    x, branch, gain, weight, bias, total, out, x_stride, total_stride,
    WIDTH: tl.constexpr, EPS: tl.constexpr, ADDS: tl.constexpr, NORMS: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Take one row of WIDTH channels: total = x + branch * gain, out = its layer norm."""
    row = tl.program_id(0).to(tl.int64)
    channel = tl.arange(0, BLOCK)
    live = channel < WIDTH
    number = tl.load(x + row * x_stride + channel, mask=live, other=0).to(tl.float32)
    if ADDS:
        added = tl.load(branch + row * WIDTH + channel, mask=live, other=0).to(tl.float32)
        number += added * tl.load(gain + channel, mask=live, other=0).to(tl.float32)
        tl.store(total + row * total_stride + channel, number, mask=live)
    if NORMS:
        mean = tl.sum(number, axis=0) / WIDTH
        centred = tl.where(live, number - mean, 0.0)
        scale = 1 / tl.sqrt(tl.sum(centred * centred, axis=0) / WIDTH + EPS)
        factor = tl.load(weight + channel, mask=live, other=0).to(tl.float32)
        shift = tl.load(bias + channel, mask=live, other=0).to(tl.float32)
        normed = centred * scale * factor + shift
        tl.store(out + row * WIDTH + channel, normed.to(out.dtype.element_ty), mask=live)


def residual_norm(
    x: Tensor, branch: Tensor | None, gain: Tensor | None, norm: nn.LayerNorm | None,
    dtype: torch.dtype, total: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """
    Return x + branch * gain and, where there is a norm, that of it in dtype.

    x (B, N, C) fp32, its rows evenly spaced; branch (B, N, C), contiguous, or None; gain (C,). The
    sum is written to `total` (B, N, C), rows evenly spaced, fp32, where that is given. Sums and
    norms are taken in fp32.
    """
    width, rows = x.shape[-1], x.shape[:-1].numel()
    if branch is not None and total is None:
        total = torch.empty_like(x, memory_format=torch.contiguous_format)
    out = None if norm is None else x.new_empty(x.shape, dtype=dtype)
    unused = x
    launch(
        _residual_norm, (rows,), x,
        unused if branch is None else branch, unused if gain is None else gain,
        unused if norm is None else norm.weight, unused if norm is None else norm.bias,
        x if total is None else total, unused if out is None else out,
        x.stride(-2), x.stride(-2) if total is None else total.stride(-2),
        WIDTH=width, EPS=0.0 if norm is None else norm.eps, ADDS=branch is not None,
        NORMS=norm is not None, BLOCK=next_power_of_two(width),
        num_warps=4 if width <= 2048 else 8,
    )  # fmt: skip
    return (x if branch is None else total), out


def fits(x: Tensor) -> bool:
    """Whether the kernel takes rows of that many channels."""
    return x.shape[-1] <= MOST_CHANNELS
