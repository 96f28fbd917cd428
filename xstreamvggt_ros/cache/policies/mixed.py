# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A score that serves two ends."""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.cache.layout import FrameLayout
from xstreamvggt_ros.cache.policies.attention import AttentionValue
from xstreamvggt_ros.cache.policies.base import EvictionContext, Policy
from xstreamvggt_ros.cache.policies.similarity import FrameDiversity
from xstreamvggt_ros.cache.rows import RowSpec
from xstreamvggt_ros.cache.slots import keep_order


class AttentionCoverage(Policy):
    """
    Keep a share of the tokens by attention x value, the others by whole frames that differ.

    s_j = -min(a_j / share, c_j / (1 - share)), with a_j and c_j the places (T,), 0 the best, that
    token j has in the orders of `AttentionValue` and `FrameDiversity`: the two lists are walked
    side by side, share steps of the one to 1 - share of the other, until enough is chosen. What
    the newest frame attends to carries the pose, frames from everywhere carry the depth.

    In the first block frames alone decide: what looks alike is attended to there, wherever it is.
    """

    share = 0.2

    def __init__(self, pool_size: int = 16, seed: int = 0) -> None:
        """Take what the two scores take."""
        super().__init__(pool_size, seed)
        self.attention = AttentionValue(pool_size, seed)
        self.coverage = FrameDiversity(pool_size, seed)

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        coverage = self.coverage.score(context)
        if context.layer == 0:
            return coverage
        attended = _places(self.attention.score(context), context) / self.share
        return -torch.minimum(attended, _places(coverage, context) / (1 - self.share))

    def scoring_bytes(self, attended: int, frame: FrameLayout, head_dim: int) -> int:
        """Bound what the larger of the two takes; one is made after the other."""
        parts = (self.attention, self.coverage)
        return max(part.scoring_bytes(attended, frame, head_dim) for part in parts)

    def row_specs(self, head_dim: int, dtype: torch.dtype) -> dict[str, RowSpec]:
        """Note what the score by attention needs."""
        return self.attention.row_specs(head_dim, dtype)

    def rows(self, context: EvictionContext) -> dict[str, Tensor]:
        """Return what the score by attention needs of the new tokens."""
        return self.attention.rows(context)


def _places(scores: Tensor, context: EvictionContext) -> Tensor:
    """Return the place (T,), fp32, of each token if they are kept by these scores; 0 the first."""
    order = keep_order(scores, context.frames, context.grids, context.newest).argsort(
        descending=True
    )
    places = torch.arange(len(order), dtype=torch.float32, device=order.device)
    return torch.empty_like(places).scatter_(0, order, places)
