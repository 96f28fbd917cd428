# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Farthest-first choice of whole frames by their mean keys, in Triton."""

from __future__ import annotations

import torch
from torch import Tensor
import triton
import triton.language as tl

from xstreamvggt_ros.ops.dispatch import launch, next_power_of_two

# Distances between more frames than that do not fit into one block.
MOST_FRAMES = 128
_LEAST_SIDE = 16
_TOKENS, _OTHERS = 64, 1024
_KEYS, _CHANNELS = 64, 64


@triton.jit
def _member(
    frames, out, held, most, TOKENS: tl.constexpr, OTHERS: tl.constexpr
):  # fmt: skip
    """Give the frames of held tokens numbers, oldest first, from 0 to `most`."""
    token = tl.program_id(0) * TOKENS + tl.arange(0, TOKENS)
    frame = tl.load(frames + token, mask=token < held, other=0)
    rank = tl.zeros([TOKENS], dtype=tl.int32)
    seen = tl.min(tl.full([OTHERS], -1, dtype=tl.int32), axis=0)
    for _ in range(most):
        # The oldest frame that has not been seen; there may be no more.
        least = tl.full([OTHERS], 0x7FFFFFFF, dtype=tl.int32)
        for begin in range(0, held, OTHERS):
            other = begin + tl.arange(0, OTHERS)
            theirs = tl.load(frames + other, mask=other < held, other=0x7FFFFFFF)
            least = tl.minimum(least, tl.where(theirs > seen, theirs, 0x7FFFFFFF))
        seen = tl.min(least, axis=0)
        rank += (frame > seen).to(tl.int32)
    tl.store(out + token, rank, mask=token < held)


@triton.jit
def _distances(
    keys, member, parts, counts, held, total, newest,
    WIDTH: tl.constexpr, FRAMES: tl.constexpr, KEYS: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Take the squared distances of the frames' mean keys over a share of the channels."""
    part = tl.program_id(0)
    channel = part * CHANNELS + tl.arange(0, CHANNELS).to(tl.int64)
    frame = tl.arange(0, FRAMES)
    sums = tl.zeros([FRAMES, CHANNELS], dtype=tl.float32)
    count = tl.zeros([FRAMES], dtype=tl.float32)
    for begin in range(0, total, KEYS):
        token = begin + tl.arange(0, KEYS).to(tl.int64)
        owner = tl.load(member + token, mask=token < held, other=newest)
        owner = tl.where(token < total, owner, -1)
        belongs = owner[None, :] == frame[:, None]
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


@triton.jit
def _farthest_first(
    parts, counts, member, out, held, newest, count,
    FRAMES: tl.constexpr, TOKENS: tl.constexpr,
):  # fmt: skip
    """Choose frames farthest first from the first and the new one on; score tokens by theirs."""
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
    for begin in range(0, held, TOKENS):
        token = begin + tl.arange(0, TOKENS)
        owner = tl.load(member + token, mask=token < held, other=0)
        mine = tl.where(owner[:, None] == frame[None, :], score[None, :], 0.0)
        tl.store(out + token, tl.sum(mine, axis=1), mask=token < held)


def fits(bound: int) -> bool:
    """Whether the kernels tell that many frames apart, and the new one."""
    return bound + 1 <= MOST_FRAMES


def farthest_first_scores(keys: Tensor, frames: Tensor, bound: int) -> Tensor:
    """
    Return a score (T,) per held token, the higher the earlier its frame is chosen.

    keys (T + N, H, D), contiguous, the held ones first; frames (T,) of the held ones. Frames are
    told apart up to `bound`; the newest beyond count as one. Sums and distances are fp32.
    """
    held, total, width = len(frames), len(keys), keys[0].numel()
    block = max(next_power_of_two(bound + 1), _LEAST_SIDE)
    grid = (triton.cdiv(held, _TOKENS),)
    member = torch.empty(held, dtype=torch.int32, device=keys.device)
    launch(_member, grid, frames, member, held, bound - 1, TOKENS=_TOKENS, OTHERS=_OTHERS)
    count = triton.cdiv(width, _CHANNELS)
    parts = keys.new_empty(count, block, block, dtype=torch.float32)
    counts = keys.new_empty(block, dtype=torch.float32)
    launch(
        _distances, (count,), keys, member, parts, counts, held, total, bound,
        WIDTH=width, FRAMES=block, KEYS=_KEYS, CHANNELS=_CHANNELS,
    )  # fmt: skip
    out = keys.new_empty(held, dtype=torch.float32)
    launch(
        _farthest_first, (1,), parts, counts, member, out, held, bound, count,
        FRAMES=block, TOKENS=_TOKENS,
    )  # fmt: skip
    return out
