# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each block is for: one keeps by a rule of its own."""

from __future__ import annotations

from torch import Tensor

from benchmarks.methods.shipped import Room, Shipped
from benchmarks.methods.tokens import Arrival
from xstreamvggt_ros.cache.policies import Policy
from xstreamvggt_ros.cache.slots import keep_order


class OneRule(Shipped):
    """Keep by a policy in one block, and by another in the others."""

    def __init__(self, room: Room, policy: type[Policy], block: int, others: type[Policy]) -> None:
        """Take the block, what it keeps by, and what the others do."""
        super().__init__(room, others)
        self.block = block
        self.rule = policy()

    def order(self, arrival: Arrival, kept: int) -> Tensor:
        """Rank held tokens by one number each (T,); the higher stays."""
        if arrival.layer != self.block:
            return super().order(arrival, kept)
        scores = self.rule.score(arrival.context(kept))
        return keep_order(scores, arrival.held.frames, arrival.held.grids, arrival.newest)
