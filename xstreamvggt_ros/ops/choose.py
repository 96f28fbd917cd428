# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The slots that give way, and ranks of held tokens, each as one Triton kernel."""

from __future__ import annotations

import torch
from torch import Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch

# Every token is compared with every other: beyond this many a sort is faster. The slots of this
# many have numbers of 16 bits.
MOST_HELD = 65536
_TOKENS, _OTHERS = 32, 128


@triton.jit
def _order(scores, frames, grids, forced, token, held, newest, protected, FORCES: tl.constexpr):
    """Rank tokens by one int64 each, as cache.slots.keep_order does; the lowest give way."""
    live = token < held
    score = tl.load(scores + token, mask=live, other=0).to(tl.float32)
    frame = tl.load(frames + token, mask=live, other=0)
    grid = tl.load(grids + token, mask=live, other=0)
    score = tl.where(score != score, float('-inf'), score)
    score = tl.where(score == 0, 0.0, score)
    bits = score.to(tl.int32, bitcast=True)
    # Floats compare as their bits do, once the negative ones are turned round.
    monotone = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    age = tl.minimum(tl.maximum(newest - frame.to(tl.int64), 0), 65535)
    # No two are alike: of tokens too old to be told apart by age, slots decide.
    last = tl.where(age < 65535, 65535 - grid.to(tl.int64), token)
    order = (monotone.to(tl.int64) << 32) | ((65535 - age) << 16) | last
    if FORCES:
        must_go = tl.load(forced + token, mask=live, other=0) != 0
        order = tl.where(must_go, -0x7FFFFFFFFFFFFFFF + token, order)
    order = tl.where((frame == 0) & (grid < protected), 0x7FFFFFFFFFFFFFFF - token, order)
    return tl.where(live, order, 0x7FFFFFFFFFFFFFFF), live


@triton.jit
def _choose(
    scores, frames, grids, forced, clock, out, held, lacking, arriving, protected,
    FORCES: tl.constexpr, RANKS: tl.constexpr, TOKENS: tl.constexpr, OTHERS: tl.constexpr,
):  # fmt: skip
    """Give each rank its slot, and the free slots behind the held ones; or each slot its rank."""
    newest = tl.load(clock)
    token = tl.program_id(0).to(tl.int64) * TOKENS + tl.arange(0, TOKENS)
    mine, live = _order(scores, frames, grids, forced, token, held, newest, protected, FORCES)
    rank = tl.zeros([TOKENS], dtype=tl.int64)
    for begin in range(0, held, OTHERS):
        other = begin + tl.arange(0, OTHERS).to(tl.int64)
        theirs, _ = _order(scores, frames, grids, forced, other, held, newest, protected, FORCES)
        rank += tl.sum((theirs[None, :] < mine[:, None]).to(tl.int32), axis=1)
    if RANKS:
        tl.store(out + token, rank, mask=live)
    else:
        tl.store(out + rank, token, mask=live & (rank < lacking))
        tl.store(out + lacking + token, held + token, mask=token < arriving - lacking)


def choose_slots(
    scores: Tensor, frames: Tensor, grids: Tensor, newest: Tensor, protected: int,
    lacking: int, arriving: int, forced: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """
    Return the slots (N,) of N arriving tokens: the `lacking` lowest held ones, then free ones.

    scores, frames, grids (T,) are of the held tokens, newest is the new frame's index, a scalar
    int64. Tokens of frame 0 below grid index `protected` are never chosen, `forced` (T,) ones
    always. The choice is that of cache.slots, its order ascending.
    """
    held = len(frames)
    out = torch.empty(arriving, dtype=torch.int64, device=frames.device)
    grid = (triton.cdiv(max(held, arriving - lacking), _TOKENS),)
    launch(
        _choose, grid, scores, frames, grids, frames if forced is None else forced, newest, out,
        held, lacking, arriving, protected,
        FORCES=forced is not None, RANKS=False, TOKENS=_TOKENS, OTHERS=_OTHERS,
    )  # fmt: skip
    return out


def ranks(scores: Tensor, frames: Tensor, grids: Tensor, newest: Tensor) -> Tensor:
    """Return the rank (T,), from 0 on, of each held token among all, the lowest score first."""
    held = len(frames)
    out = torch.empty(held, dtype=torch.int64, device=frames.device)
    launch(
        _choose, (triton.cdiv(held, _TOKENS),), scores, frames, grids, frames, newest, out,
        held, 0, 0, 0, FORCES=False, RANKS=True, TOKENS=_TOKENS, OTHERS=_OTHERS,
    )  # fmt: skip
    return out
