# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Farthest-first choice of whole frames by their mean keys, in Triton."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch, next_power_of_two

# Distances between more frames than that do not fit into one block.
MOST_FRAMES = 128
# A row of them, which is all that the choice looks at, still does.
MOST_CHOSEN = 4096
_LEAST_SIDE = 16
_TOKENS, _OTHERS = 64, 1024
_KEYS, _CHANNELS = 64, 64


@triton.jit
def _told_apart(frames, held, most, FRAMES: tl.constexpr, OTHERS: tl.constexpr):
    """Find the `most` oldest frames of held tokens, oldest first; behind them, the largest int."""
    place = tl.arange(0, FRAMES)
    oldest = tl.full([FRAMES], 0x7FFFFFFF, dtype=tl.int32)
    seen = tl.min(tl.full([OTHERS], -1, dtype=tl.int32), axis=0)
    for index in range(most):
        # The oldest frame that has not been seen; there may be no more.
        least = tl.full([OTHERS], 0x7FFFFFFF, dtype=tl.int32)
        for begin in range(0, held, OTHERS):
            other = begin + tl.arange(0, OTHERS)
            theirs = tl.load(frames + other, mask=other < held, other=0x7FFFFFFF)
            least = tl.minimum(least, tl.where(theirs > seen, theirs, 0x7FFFFFFF))
        seen = tl.min(least, axis=0)
        oldest = tl.where(place == index, seen, oldest)
    return oldest


@triton.jit
def _of_frames(theirs, live, oldest, most, FRAMES: tl.constexpr):
    """Tell which tokens (columns) are of which frames (rows); newer ones are of the last."""
    last = tl.arange(0, FRAMES) == most - 1
    newer = last[:, None] & (theirs[None, :] > oldest[:, None])
    return live[None, :] & (newer | (theirs[None, :] == oldest[:, None]))


@triton.jit
def _distances(
    keys, frames, parts, counts, told, held, total, newest,
    WIDTH: tl.constexpr, FRAMES: tl.constexpr, KEYS: tl.constexpr, CHANNELS: tl.constexpr,
    OTHERS: tl.constexpr,
):  # fmt: skip
    """Take the squared distances of the frames' mean keys over a share of the channels."""
    part = tl.program_id(0)
    channel = part * CHANNELS + tl.arange(0, CHANNELS).to(tl.int64)
    frame = tl.arange(0, FRAMES)
    oldest = _told_apart(frames, held, newest, FRAMES, OTHERS)
    sums = tl.zeros([FRAMES, CHANNELS], dtype=tl.float32)
    count = tl.zeros([FRAMES], dtype=tl.float32)
    for begin in range(0, total, KEYS):
        token = begin + tl.arange(0, KEYS).to(tl.int64)
        theirs = tl.load(frames + token, mask=token < held, other=0)
        arriving = (frame == newest)[:, None] & ((token >= held) & (token < total))[None, :]
        belongs = arriving | _of_frames(theirs, token < held, oldest, newest, FRAMES)
        live = (token < total)[:, None] & (channel < WIDTH)[None, :]
        key = tl.load(keys + token[:, None] * WIDTH + channel[None, :], mask=live, other=0)
        sums += tl.dot(belongs.to(key.dtype), key, input_precision='ieee')
        count += tl.sum(belongs.to(tl.float32), axis=1)
    means = sums / tl.maximum(count, 1.0)[:, None]
    for one in range(FRAMES):
        chosen = tl.sum(tl.where((frame == one)[:, None], means, 0.0), axis=0)
        apart = means - chosen[None, :]
        place = (part * FRAMES + one) * FRAMES + frame
        tl.store(parts + place, tl.sum(apart * apart, axis=1))
    if part == 0:
        tl.store(counts + frame, count)
        tl.store(told + frame, oldest)


@triton.jit
def farthest_first(parts, counts, newest, count, FRAMES: tl.constexpr):
    """Choose frames farthest first from the first and the new one on; give each its score."""
    frame = tl.arange(0, FRAMES)
    older = frame < newest
    from_first = tl.zeros([FRAMES], dtype=tl.float32)
    from_new = tl.zeros([FRAMES], dtype=tl.float32)
    for part in range(count):
        from_first += tl.load(parts + part * FRAMES * FRAMES + frame)
        from_new += tl.load(parts + (part * FRAMES + newest) * FRAMES + frame)
    present = older & (tl.load(counts + frame) > 0)
    # Below all others: places without a frame, and below those of chosen frames.
    distance = tl.where(present, tl.minimum(tl.sqrt(from_first), tl.sqrt(from_new)), -1.0)
    distance = tl.where(older, distance, -3.0)
    worth = tl.sum(present.to(tl.float32), axis=0)
    score = tl.zeros([FRAMES], dtype=tl.float32)
    for _ in range(newest):
        farthest = tl.argmax(distance, axis=0)
        is_it = frame == farthest
        score = tl.where(is_it, worth, score)
        apart = tl.zeros([FRAMES], dtype=tl.float32)
        for part in range(count):
            apart += tl.load(parts + (part * FRAMES + farthest) * FRAMES + frame)
        nearer = tl.minimum(distance, tl.sqrt(apart))
        distance = tl.where(distance < 0, distance, nearer)
        distance = tl.where(is_it, -2.0, distance)
        worth -= 1
    return score


@triton.jit
def by_frame(score, theirs, live, told, newest, FRAMES: tl.constexpr):
    """Give tokens the scores of their frames."""
    oldest = tl.load(told + tl.arange(0, FRAMES))
    mine = tl.where(_of_frames(theirs, live, oldest, newest, FRAMES), score[:, None], 0.0)
    return tl.sum(mine, axis=0)


@triton.jit
def _farthest_first(
    parts, counts, told, frames, out, held, newest, count,
    FRAMES: tl.constexpr, TOKENS: tl.constexpr,
):  # fmt: skip
    """Score tokens by their frames; each block makes the same choice for itself."""
    score = farthest_first(parts, counts, newest, count, FRAMES)
    token = tl.program_id(0) * TOKENS + tl.arange(0, TOKENS)
    live = token < held
    theirs = tl.load(frames + token, mask=live, other=0)
    tl.store(out + token, by_frame(score, theirs, live, told, newest, FRAMES), mask=live)


@triton.jit
def _frame_worth(squares, counts, out, newest, FRAMES: tl.constexpr):
    """Give frames their scores."""
    score = farthest_first(squares, counts, newest, 1, FRAMES)
    tl.store(out + tl.arange(0, FRAMES), score)


def frame_worth(distances: Tensor, present: Tensor) -> Tensor:
    """
    Return a score (F,), fp32, per frame, higher the earlier it is chosen farthest first.

    distances (F + 1, F + 1), fp32, at most MOST_CHOSEN of them, are between all frames and, last,
    the new one, from which and the first the choice begins; present (F,) says which there are.
    """
    frames = len(present)
    block = max(next_power_of_two(frames + 1), _LEAST_SIDE)
    squares = functional.pad(distances.square(), (0, block - frames - 1))
    counts = functional.pad(present.float(), (0, block - frames))
    out = distances.new_empty(block)
    launch(_frame_worth, (1,), squares.contiguous(), counts, out, frames, FRAMES=block)
    return out[:frames]


def fits(bound: int) -> bool:
    """Whether the kernels tell that many frames apart, and the new one."""
    return bound + 1 <= MOST_FRAMES


@dataclass(frozen=True)
class FrameDistances:
    """
    Squared distances between mean keys, of up to `bound` frames and, behind them, the new one.

    parts (P, F, F), fp32, are to be added up; counts (F,) the tokens of each; told (F,) int32 the
    frames, the last of which stands for all newer ones, too.
    """

    parts: Tensor
    counts: Tensor
    told: Tensor
    bound: int


def frame_distances(keys: Tensor, frames: Tensor, bound: int) -> FrameDistances:
    """
    Return the distances between frames of held tokens, told apart up to `bound`.

    keys (T + N, H, D), contiguous, the held ones first; frames (T,) of the held ones; the newest
    beyond the bound count as one. Sums and distances are fp32.
    """
    held, total, width = len(frames), len(keys), keys[0].numel()
    block = max(next_power_of_two(bound + 1), _LEAST_SIDE)
    count = triton.cdiv(width, _CHANNELS)
    parts = keys.new_empty(count, block, block, dtype=torch.float32)
    counts = keys.new_empty(block, dtype=torch.float32)
    told = torch.empty(block, dtype=torch.int32, device=keys.device)
    launch(
        _distances, (count,), keys, frames, parts, counts, told, held, total, bound,
        WIDTH=width, FRAMES=block, KEYS=_KEYS, CHANNELS=_CHANNELS, OTHERS=_OTHERS,
    )  # fmt: skip
    return FrameDistances(parts, counts, told, bound)


def farthest_first_scores(apart: FrameDistances, frames: Tensor) -> Tensor:
    """Return a score (T,), fp32, per token of frames (T,), higher the earlier its is chosen."""
    held, (count, block, _) = len(frames), apart.parts.shape
    out = torch.empty(held, dtype=torch.float32, device=frames.device)
    launch(
        _farthest_first, (triton.cdiv(held, _TOKENS),), apart.parts, apart.counts, apart.told,
        frames, out, held, apart.bound, count, FRAMES=block, TOKENS=_TOKENS,
    )  # fmt: skip
    return out
