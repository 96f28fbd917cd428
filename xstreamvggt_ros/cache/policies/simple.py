# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The baselines that a policy must beat."""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.cache.policies.base import EvictionContext, Policy

# SplitMix64's constants, as int64 holds them.
_GOLDEN = 0x9E3779B97F4A7C15 - 2**64
_MULTIPLIER_1 = 0xBF58476D1CE4E5B9 - 2**64
_MULTIPLIER_2 = 0x94D049BB133111EB - 2**64


class SinkRecent(Policy):
    """Keep the newest frames beside the protected first one (StreamingLLM, arXiv 2309.17453)."""

    def score(self, context: EvictionContext) -> Tensor:
        """Return the frame index (T,) of each held token."""
        return context.frames.float()


class Random(Policy):
    """Keep tokens by lot, the same ones on every machine and after resuming."""

    def score(self, context: EvictionContext) -> Tensor:
        """Return a draw (T,) that follows from seed, layer, new frame and the token alone."""
        numbers = (
            context.frames.long(),
            context.grids.long(),
            context.layer,
            context.newest,
            self.seed,
        )
        drawn = torch.zeros_like(numbers[0])
        for number in numbers:
            drawn = _mixed(drawn + number)
        # 24 bits are what fp32 tells apart.
        return (drawn & 0xFFFFFF).float()


def _mixed(number: Tensor) -> Tensor:
    """Scramble int64 numbers: SplitMix64 (Steele et al. 2014), its shifts arithmetic."""
    number = number + _GOLDEN
    number = (number ^ (number >> 30)) * _MULTIPLIER_1
    number = (number ^ (number >> 27)) * _MULTIPLIER_2
    return number ^ (number >> 31)
