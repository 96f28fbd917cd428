# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores that serve two ends."""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.cache.layout import AttentionShape, FrameLayout
from xstreamvggt_ros.cache.policies.attention import AttentionValue
from xstreamvggt_ros.cache.policies.base import EvictionContext, Policy
from xstreamvggt_ros.cache.policies.similarity import FrameDiversity
from xstreamvggt_ros.cache.slots import by_kernel, keep_ranks


class AttentionCoverage(Policy):
    """
    Keep what is attended to in some global blocks, and frames from everywhere in others.

    By the quarter of the blocks, counted from the images on:

    1. Whole frames, as `FrameDiversity` scores them: depth is lost by attention alone here.
    2. `AttentionValue`: as good as both here, and cheaper.
    3. Both: motion is lost with whole frames alone here, and depth by attention alone. s_j =
       -min(a_j / share, c_j / (1 - share)), with a_j and c_j the places (T,), 0 the best, that
       token j has in two orders that are walked side by side, share steps of the one to 1 - share
       of the other. The first: every frame's best token by `AttentionValue`, then every frame's
       second, and so on; over all frames at once old ones would be lost. The other is that of
       `FrameDiversity`.
    4. `AttentionValue`: nearly as good as both here, and cheaper.

    A single block keeps whole frames; of two the second mixes.

    docs/methods.md has what each block was found to be for.
    """

    share = 0.3
    notes = AttentionValue.notes

    def __init__(self, pool_size: int = 16, seed: int = 0) -> None:
        """Take what the two scores take."""
        super().__init__(pool_size, seed)
        self.attention = AttentionValue(pool_size, seed)
        self.coverage = FrameDiversity(pool_size, seed)

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        quarter = 4 * context.layer // context.layers
        if quarter == 0:
            return self.coverage.score(context)
        attention = self.attention.score(context)
        if quarter != 2:
            return attention
        apart = None
        if by_kernel(attention, context.newest):
            apart = self.coverage.distances(context)
        if apart is not None:
            from xstreamvggt_ros.ops.mix import side_by_side

            held = context.frames, context.grids, context.newest
            return side_by_side(attention, apart, self.share, *held)
        coverage = self.coverage.score(context)
        places = _places(attention, context)
        attended = _places(-_places_in_frames(places, context.frames), context) / self.share
        return -torch.minimum(attended, _places(coverage, context) / (1 - self.share))

    def scoring_bytes(
        self, attended: int, frame: FrameLayout, shape: AttentionShape, together: bool
    ) -> int:
        """Bound what the larger of the two takes; one is made after the other."""
        parts = (self.attention, self.coverage)
        return max(part.scoring_bytes(attended, frame, shape, together) for part in parts)


def _places(scores: Tensor, context: EvictionContext) -> Tensor:
    """Return the place (T,), fp32, of each token if they are kept by these scores; 0 the first."""
    ranks = keep_ranks(scores, context.frames, context.grids, context.newest)
    return context.held - 1 - ranks.float()


def _places_in_frames(places: Tensor, frames: Tensor) -> Tensor:
    """Return the place (T,), fp32, that tokens of these places have among those of their frame."""
    by_frame = (frames.long() * len(frames) + places.long()).argsort()
    ordered = frames[by_frame]
    inside = torch.arange(len(frames), device=frames.device) - torch.searchsorted(ordered, ordered)
    return torch.empty_like(places).scatter_(0, by_frame, inside.float())
