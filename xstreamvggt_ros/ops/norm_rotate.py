# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Norm, rotation and layout of queries, keys and values as one Triton kernel."""

from __future__ import annotations

import torch
from torch import nn, Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch

_ROWS_PER_PROGRAM = 16


@triton.jit
def _norm_and_rotate(
    qkv, queries, keys, values, cos, sin, q_weight, q_bias, k_weight, k_bias, rows, period,
    HEADS: tl.constexpr, DIM: tl.constexpr, EPS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Take rows of one head of one token; axis 1 tells queries, keys and values apart."""
    row = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    kind = tl.program_id(1)
    live = (row < rows)[:, None]
    token, head = row // HEADS, row % HEADS
    channel = tl.arange(0, DIM)[None, :]
    source = qkv + ((token * 3 + kind) * HEADS + head)[:, None] * DIM
    place = row[:, None] * DIM + channel
    x = tl.load(source + channel, mask=live, other=0).to(tl.float32)
    if kind == 2:
        tl.store(values + place, x.to(values.dtype.element_ty), mask=live)
    else:
        # Within each half, a channel turns with the one a quarter of all channels away.
        partner = channel ^ (DIM // 4)
        y = tl.load(source + partner, mask=live, other=0).to(tl.float32)
        mean = tl.sum(x, axis=1)[:, None] / DIM
        variance = tl.sum((x - mean) * (x - mean), axis=1)[:, None] / DIM
        scale = 1 / tl.sqrt(variance + EPS)
        of_keys = kind == 1
        gain = tl.where(of_keys, tl.load(k_weight + channel), tl.load(q_weight + channel))
        shift = tl.where(of_keys, tl.load(k_bias + channel), tl.load(q_bias + channel))
        x = (x - mean) * scale * gain + shift
        gain = tl.where(of_keys, tl.load(k_weight + partner), tl.load(q_weight + partner))
        shift = tl.where(of_keys, tl.load(k_bias + partner), tl.load(q_bias + partner))
        y = (y - mean) * scale * gain + shift
        angle = (token % period)[:, None] * DIM + channel
        turned = tl.where((channel & (DIM // 4)) == 0, -y, y)
        x = x * tl.load(cos + angle, mask=live, other=0) + turned * tl.load(
            sin + angle, mask=live, other=0
        )
        if of_keys:
            tl.store(keys + place, x.to(keys.dtype.element_ty), mask=live)
        else:
            tl.store(queries + place, x.to(queries.dtype.element_ty), mask=live)


def norm_and_rotate(
    qkv: Tensor, q_norm: nn.LayerNorm, k_norm: nn.LayerNorm, cos: Tensor, sin: Tensor,
    heads: int, dtype: torch.dtype, room: tuple[Tensor, Tensor] | None = None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """
    Turn qkv (B, N, 3 H D), contiguous, into queries, keys and values (B, H, N, D) of dtype.

    In memory they are (B, N, H, D). Queries and keys are normalised and turned by the tables
    (P, D), which repeat every P tokens; P divides N. D must be a power of two, and the norms alike
    in eps. Keys and values are written to `room`, (B N, H, D) each and contiguous, where there is
    one.
    """
    batch, tokens, width = qkv.shape
    dim = width // 3 // heads
    rows = batch * tokens * heads
    shape = batch, tokens, heads, dim
    queries = torch.empty(shape, dtype=dtype, device=qkv.device)
    keys, values = room or (torch.empty_like(queries), torch.empty_like(queries))
    launch(
        _norm_and_rotate, (triton.cdiv(rows, _ROWS_PER_PROGRAM), 3),
        qkv, queries, keys, values, cos, sin,
        q_norm.weight, q_norm.bias, k_norm.weight, k_norm.bias, rows, cos.shape[0],
        HEADS=heads, DIM=dim, EPS=q_norm.eps, BLOCK=_ROWS_PER_PROGRAM,
    )  # fmt: skip
    return tuple(part.view(shape).transpose(1, 2) for part in (queries, keys, values))
