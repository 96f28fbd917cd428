# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which slots give way to a new frame: decided on small tensors, without a look at keys."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xstreamvggt_ros.ops.dispatch import fused

_AGE_BITS = 16
_GRID_BITS = 16
_HIGHEST = torch.iinfo(torch.int64).max
_LOWEST = torch.iinfo(torch.int64).min


@dataclass(frozen=True)
class HeldTokens:
    """
    The tokens (T,) that compete with a new frame.

    frames, grids: frame and grid index of each. newest: index of the new frame, on CUDA a scalar
    on the device. protected: tokens of frame 0 below that grid index never give way.
    """

    frames: Tensor
    grids: Tensor
    newest: int | Tensor
    protected: int

    @property
    def is_protected(self) -> Tensor:
        """Which of them (T,) never give way."""
        return (self.frames == 0) & (self.grids < self.protected)


def keep_order(scores: Tensor, frames: Tensor, grids: Tensor, newest: int | Tensor) -> Tensor:
    """
    Rank held tokens (T,) by one int64 each; the higher is kept.

    Score decides first, then the newer frame, then the lower grid index, so that the choice is
    the same everywhere. A score that is not a number ranks lowest.
    """
    # Adding zero makes -0 and 0 one number.
    scores = scores.float().masked_fill(scores.isnan(), -torch.inf) + 0.0
    bits = scores.view(torch.int32)
    # Floats compare as their bits do, once the negative ones are turned round.
    monotone = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    age = (newest - frames.long()).clamp(0, 2**_AGE_BITS - 1)
    ties = ((2**_AGE_BITS - 1 - age) << _GRID_BITS) | (2**_GRID_BITS - 1 - grids.long())
    return (monotone.long() << (_AGE_BITS + _GRID_BITS)) | ties


def keep_ranks(scores: Tensor, frames: Tensor, grids: Tensor, newest: int | Tensor) -> Tensor:
    """
    Return the rank (T,) of each held token in that order, int64; the highest is kept first.

    On CUDA `newest` is a scalar on the device.
    """
    if by_kernel(scores, newest):
        from xstreamvggt_ros.ops.choose import ranks

        return ranks(scores, frames, grids, newest)
    order = keep_order(scores, frames, grids, newest).argsort()
    return torch.empty_like(order).scatter_(
        0, order, torch.arange(len(order), device=order.device)
    )


def choose_slots(
    scores: Tensor,
    held: HeldTokens,
    lacking: int,
    arriving: int,
    forced: Tensor | None = None,
) -> Tensor:
    """
    Return the slots (N,) of `arriving` new tokens: first of those evicted, then free ones.

    The `lacking` held tokens of the lowest order give way. Protected ones are never among them,
    `forced` (T,) ones always; there must be at least `lacking` that are not protected and at most
    `lacking` forced ones. The free slots are those behind the held ones.
    """
    count, device = len(held.frames), held.frames.device
    free = torch.arange(count, count + arriving - lacking, device=device)
    if lacking == 0:
        return free
    if by_kernel(scores, held.newest):
        from xstreamvggt_ros.ops import choose

        places = held.frames, held.grids, held.newest, held.protected
        return choose.choose_slots(scores, *places, lacking, arriving, forced)
    order = keep_order(scores, held.frames, held.grids, held.newest)
    return torch.cat([choose_evictions(order, lacking, held.is_protected, forced), free])


def by_kernel(scores: Tensor, newest: int | Tensor) -> bool:
    """Whether orders of scores (T,) are for kernels to take, given the newest frame's index."""
    if not (fused(scores) and isinstance(newest, Tensor)):
        return False
    from xstreamvggt_ros.ops.choose import MOST_HELD

    return len(scores) <= MOST_HELD


def choose_evictions(
    order: Tensor, count: int, protected: Tensor, forced: Tensor | None = None
) -> Tensor:
    """
    Return the `count` slots (count,) that are overwritten, those of the lowest order.

    `protected` (T,) slots are never among them, `forced` ones always are; there must be at least
    `count` unprotected slots and at most `count` forced ones.
    """
    if forced is not None:
        order = order.masked_fill(forced, _LOWEST)
    order = order.masked_fill(protected, _HIGHEST)
    return order.topk(count, largest=False, sorted=False).indices
