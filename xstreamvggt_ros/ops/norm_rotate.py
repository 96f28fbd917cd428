# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Norm, rotation and layout of queries, keys and values as one Triton kernel."""

from __future__ import annotations

import torch
from torch import nn, Tensor
import triton
import triton.language as tl

_ROWS_PER_PROGRAM = 16


@triton.jit
def _norm_and_rotate(
    qkv, out, cos, sin, q_weight, q_bias, k_weight, k_bias, rows, batch, tokens, period, eps,
    HEADS: tl.constexpr, DIM: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Take rows of one head of one token; axis 1 tells queries, keys and values apart."""
    row = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    kind = tl.program_id(1)
    live = (row < rows)[:, None]
    token, head = row // HEADS, row % HEADS
    channel = tl.arange(0, DIM)[None, :]
    source = qkv + ((token * 3 + kind) * HEADS + head)[:, None] * DIM
    x = tl.load(source + channel, mask=live, other=0).to(tl.float32)
    if kind < 2:
        # Within each half, a channel turns with the one a quarter of all channels away.
        partner = channel ^ (DIM // 4)
        y = tl.load(source + partner, mask=live, other=0).to(tl.float32)
        mean = tl.sum(x, axis=1)[:, None] / DIM
        variance = tl.sum((x - mean) * (x - mean), axis=1)[:, None] / DIM
        scale = 1 / tl.sqrt(variance + eps)
        of_keys = kind == 1
        gain = tl.where(of_keys, tl.load(k_weight + channel), tl.load(q_weight + channel))
        shift = tl.where(of_keys, tl.load(k_bias + channel), tl.load(q_bias + channel))
        x = (x - mean) * scale * gain + shift
        gain = tl.where(of_keys, tl.load(k_weight + partner), tl.load(q_weight + partner))
        shift = tl.where(of_keys, tl.load(k_bias + partner), tl.load(q_bias + partner))
        y = (y - mean) * scale * gain + shift
        angle = (token % tokens % period)[:, None] * DIM + channel
        turned = tl.where((channel & (DIM // 4)) == 0, -y, y)
        x = x * tl.load(cos + angle, mask=live, other=0) + turned * tl.load(
            sin + angle, mask=live, other=0
        )
    place = ((kind * batch + token // tokens) * HEADS + head) * tokens + token % tokens
    tl.store(out + place[:, None] * DIM + channel, x.to(out.dtype.element_ty), mask=live)


def norm_and_rotate(
    qkv: Tensor, q_norm: nn.LayerNorm, k_norm: nn.LayerNorm, cos: Tensor, sin: Tensor,
    heads: int, dtype: torch.dtype,
) -> Tensor:  # fmt: skip
    """
    Turn qkv (B, N, 3 H D), contiguous, into queries, keys and values (3, B, H, N, D) of dtype.

    Queries and keys are normalised and turned by the tables (P, D), which repeat every P tokens;
    D must be a power of two, and the norms alike in eps.
    """
    batch, tokens, width = qkv.shape
    dim = width // 3 // heads
    out = torch.empty(3, batch, heads, tokens, dim, dtype=dtype, device=qkv.device)
    rows = batch * tokens * heads
    _norm_and_rotate[(triton.cdiv(rows, _ROWS_PER_PROGRAM), 3)](
        qkv, out, cos, sin, q_norm.weight, q_norm.bias, k_norm.weight, k_norm.bias,
        rows, batch, tokens, cos.shape[0], q_norm.eps,
        HEADS=heads, DIM=dim, BLOCK=_ROWS_PER_PROGRAM,
    )  # fmt: skip
    return out
