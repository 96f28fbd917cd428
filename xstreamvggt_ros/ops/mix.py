# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two orders of held tokens walked side by side, as two Triton kernels."""

from __future__ import annotations

import torch
from torch import Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.choose import _order
from xstreamvggt_ros.ops.dispatch import launch
from xstreamvggt_ros.ops.frame_scores import by_frame, farthest_first, FrameDistances

_TOKENS, _OTHERS = 32, 128


@triton.jit
def _within_and_whole(
    scores, frames, grids, clock, parts, counts, told, within, whole, held, bound, count,
    FRAMES: tl.constexpr, TOKENS: tl.constexpr, OTHERS: tl.constexpr,
):  # fmt: skip
    """Score tokens by how many of their own frame stand above them, and by their frames."""
    newest = tl.load(clock)
    token = tl.program_id(0).to(tl.int64) * TOKENS + tl.arange(0, TOKENS)
    mine, live = _order(scores, frames, grids, frames, token, held, newest, 0, False)
    frame = tl.load(frames + token, mask=live, other=0)
    chosen = farthest_first(parts, counts, bound, count, FRAMES)
    tl.store(whole + token, by_frame(chosen, frame, live, told, bound, FRAMES), mask=live)
    above = tl.zeros([TOKENS], dtype=tl.int32)
    for begin in range(0, held, OTHERS):
        other = begin + tl.arange(0, OTHERS).to(tl.int64)
        theirs, there = _order(scores, frames, grids, frames, other, held, newest, 0, False)
        beside = tl.load(frames + other, mask=there, other=-1)
        better = (beside[None, :] == frame[:, None]) & (theirs[None, :] > mine[:, None])
        above += tl.sum(better.to(tl.int32), axis=1)
    tl.store(within + token, -above.to(tl.float32), mask=live)


@triton.jit
def _side_by_side(
    first, second, frames, grids, clock, out, held,
    SHARE: tl.constexpr, REST: tl.constexpr, TOKENS: tl.constexpr, OTHERS: tl.constexpr,
):  # fmt: skip
    """Score tokens by their places in two orders, each by the share that it has."""
    newest = tl.load(clock)
    token = tl.program_id(0).to(tl.int64) * TOKENS + tl.arange(0, TOKENS)
    one, live = _order(first, frames, grids, frames, token, held, newest, 0, False)
    two, live = _order(second, frames, grids, frames, token, held, newest, 0, False)
    above_one = tl.zeros([TOKENS], dtype=tl.int32)
    above_two = tl.zeros([TOKENS], dtype=tl.int32)
    for begin in range(0, held, OTHERS):
        other = begin + tl.arange(0, OTHERS).to(tl.int64)
        theirs, there = _order(first, frames, grids, frames, other, held, newest, 0, False)
        better = (theirs[None, :] > one[:, None]) & there[None, :]
        above_one += tl.sum(better.to(tl.int32), axis=1)
        theirs, there = _order(second, frames, grids, frames, other, held, newest, 0, False)
        better = (theirs[None, :] > two[:, None]) & there[None, :]
        above_two += tl.sum(better.to(tl.int32), axis=1)
    zeros = tl.zeros([TOKENS], dtype=tl.float32)
    by_first = tl.div_rn(above_one.to(tl.float32), SHARE + zeros)
    by_second = tl.div_rn(above_two.to(tl.float32), REST + zeros)
    tl.store(out + token, -tl.minimum(by_first, by_second), mask=live)


def side_by_side(
    scores: Tensor, apart: FrameDistances, share: float,
    frames: Tensor, grids: Tensor, newest: Tensor,
) -> Tensor:  # fmt: skip
    """
    Return -min(a / share, c / (1 - share)) (T,) of held tokens' places a and c, 0 the best.

    a is the place in the order of `scores` (T,) where every frame's best token comes first, then
    every frame's second, and so on; c that in the order of frames chosen farthest first. Orders
    are those of cache.slots; frames and grids (T,) int32, newest a scalar int64.
    """
    held, (count, block, _) = len(frames), apart.parts.shape
    within, whole, out = torch.empty(3, held, dtype=torch.float32, device=frames.device)
    grid = (triton.cdiv(held, _TOKENS),)
    sizes = {'TOKENS': _TOKENS, 'OTHERS': _OTHERS, 'num_warps': 8}
    launch(
        _within_and_whole, grid, scores, frames, grids, newest, apart.parts, apart.counts,
        apart.told, within, whole, held, apart.bound, count, FRAMES=block, **sizes,
    )  # fmt: skip
    launch(
        _side_by_side, grid, within, whole, frames, grids, newest, out, held,
        SHARE=share, REST=1 - share, **sizes,
    )  # fmt: skip
    return out
