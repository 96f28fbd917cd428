# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped policy with another mix of attention and frames, and with frames chosen by time."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from xstreamvggt_ros.cache.policies import EvictionContext, Policy
from xstreamvggt_ros.cache.policies.mixed import AttentionCoverage


class Spaced(Policy):
    """
    Keep every 2nd, 4th, 8th ... frame.

    A token is worth how often 2 divides its frame's index, so that what stays lies evenly in time.
    """

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        frames = context.frames.long()
        return torch.where(frames == 0, torch.inf, (frames & -frames).float().log2())


class SpacedCoverage(AttentionCoverage):
    """The shipped policy, its whole frames chosen so."""

    def __init__(self, pool_size: int = 16, seed: int = 0) -> None:
        """Take what policies take."""
        super().__init__(pool_size, seed)
        self.coverage = Spaced(pool_size, seed)


class HalfAttention(AttentionCoverage):
    """The shipped policy with half of the tokens by attention where it mixes."""

    share = 0.5


class MixedEverywhere(AttentionCoverage):
    """Three quarters by attention within frames in every block but the first, which has none."""

    share = 0.75

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        # The first block of the third quarter.
        mixing = -(-context.layers // 2)
        return super().score(replace(context, layer=mixing if context.layer else 0))
