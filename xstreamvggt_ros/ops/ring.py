# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One token's attention to a list of fixed length, and its entry, as one Triton kernel."""

from __future__ import annotations

import torch
from torch import Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch, next_power_of_two

_ROWS = 32


@triton.jit
def _attend_ring(
    queries, keys, values, ring_keys, ring_values, entered, out, scale,
    HEADS: tl.constexpr, DIM: tl.constexpr, BLOCK: tl.constexpr, FRAMES: tl.constexpr,
    PER_FRAME: tl.constexpr, TURN: tl.constexpr, ENTERS: tl.constexpr, ROWS: tl.constexpr,
):  # fmt: skip
    """Attend with one head; the last token of a frame takes the frame in."""
    head = tl.program_id(0).to(tl.int64)
    channel = tl.arange(0, BLOCK)
    there = channel < DIM
    came = tl.load(entered)
    held = tl.minimum(came, FRAMES) * PER_FRAME
    waiting: tl.constexpr = FRAMES * PER_FRAME
    query = tl.load(queries + head * DIM + channel, mask=there, other=0).to(tl.float32) * scale
    key = tl.load(keys + head * DIM + channel, mask=there, other=0)
    value = tl.load(values + head * DIM + channel, mask=there, other=0)
    # The token itself first, so that there is something to compare the others with.
    most = tl.sum(query * key.to(tl.float32), axis=0)
    summed = 1.0
    total = value.to(tl.float32)
    for begin in range(0, waiting + TURN, ROWS):
        row = begin + tl.arange(0, ROWS)
        live = (row < held) | ((row >= waiting) & (row < waiting + TURN))
        place = (row[:, None] * HEADS + head) * DIM + channel[None, :]
        mask = live[:, None] & there[None, :]
        old = tl.load(ring_keys + place, mask=mask, other=0).to(tl.float32)
        score = tl.where(live, tl.sum(old * query[None, :], axis=1), float('-inf'))
        above = tl.maximum(most, tl.max(score, axis=0))
        weight = tl.exp(score - above)
        fading = tl.exp(most - above)
        old = tl.load(ring_values + place, mask=mask, other=0).to(tl.float32)
        total = total * fading + tl.sum(old * weight[:, None], axis=0)
        summed = summed * fading + tl.sum(weight, axis=0)
        most = above
    tl.store(out + head * DIM + channel, total / summed, mask=there)
    # All of this head's rows have been read before any is overwritten.
    tl.debug_barrier()
    row = waiting + TURN
    tl.store(ring_keys + (row * HEADS + head) * DIM + channel, key, mask=there)
    tl.store(ring_values + (row * HEADS + head) * DIM + channel, value, mask=there)
    if ENTERS:
        place = tl.where(came < FRAMES, came, 1 + (came - 1) % (FRAMES - 1)) * PER_FRAME
        for turn in tl.static_range(TURN):
            source = ((waiting + turn) * HEADS + head) * DIM + channel
            target = ((place + turn) * HEADS + head) * DIM + channel
            tl.store(ring_keys + target, tl.load(ring_keys + source, mask=there), mask=there)
            tl.store(ring_values + target, tl.load(ring_values + source, mask=there), mask=there)
        target = ((place + TURN) * HEADS + head) * DIM + channel
        tl.store(ring_keys + target, key, mask=there)
        tl.store(ring_values + target, value, mask=there)


def attend_ring(
    queries: Tensor, keys: Tensor, values: Tensor, ring: tuple[Tensor, Tensor], entered: Tensor,
    frames: int, per_frame: int, turn: int, enters: bool,
) -> Tensor:  # fmt: skip
    """
    Attend a token (H, 1, D) to its list and itself: (H, 1, D).

    ring: keys and values ((F + 1) P, H, D), contiguous, of F frames with P tokens each; behind
    them those of the frame at hand that came before, `turn` in number. entered: how many frames
    ever came in, a scalar int64; a frame goes where the oldest but the first was. With `enters`,
    the frame at hand comes in with this token; the count is for the caller to raise.
    """
    heads, _, dim = queries.shape
    out = torch.empty(heads, 1, dim, dtype=queries.dtype, device=queries.device)
    launch(
        _attend_ring, (heads,), queries, keys, values, *ring, entered, out, dim**-0.5,
        HEADS=heads, DIM=dim, BLOCK=next_power_of_two(dim), FRAMES=frames, PER_FRAME=per_frame,
        TURN=turn, ENTERS=enters, ROWS=_ROWS, num_warps=8,
    )  # fmt: skip
    return out


def fits(*tokens: Tensor) -> bool:
    """Whether the kernel takes tokens (H, 1, D): a head's numbers and the heads lie in a run."""
    return all(each.stride(-1) == 1 and each.stride(0) == each.shape[-1] for each in tokens)
