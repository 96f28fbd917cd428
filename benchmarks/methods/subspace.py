# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Redundancy against the newest frame's subspace: GUI-KV (arXiv 2510.00536)."""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.cache.policies import EvictionContext, Policy
from xstreamvggt_ros.cache.policies.base import mean_rank
from xstreamvggt_ros.cache.policies.mixed import AttentionCoverage


class Subspace(Policy):
    """
    Keep keys that the new frame's do not span.

    s_hj = || k_hj - U_h U_h^T k_hj ||, U_h (D, r) the first r directions of the new frame's keys;
    ranks averaged over heads.
    """

    rank = 16

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        keys = context.keys.transpose(0, 1)
        held, new = keys[:, : context.held], keys[:, context.held :]
        directions = torch.linalg.svd(new, full_matrices=False).Vh[:, : self.rank]
        apart = held - held @ directions.transpose(1, 2) @ directions
        return mean_rank(apart.norm(dim=-1).t())


class SubspaceCoverage(AttentionCoverage):
    """The shipped policy, its whole frames replaced by that."""

    def __init__(self, pool_size: int = 16, seed: int = 0) -> None:
        """Take what policies take."""
        super().__init__(pool_size, seed)
        self.coverage = Subspace(pool_size, seed)
