# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each block is for: one keeps by a rule of its own."""

from __future__ import annotations

from benchmarks.methods.shipped import Room, Shipped
from xstreamvggt_ros.cache.policies import Policy


class OneRule(Shipped):
    """Keep by a policy in one block, and by another in the others."""

    def __init__(self, room: Room, policy: type[Policy], block: int, others: type[Policy]) -> None:
        """Take the block, what it keeps by, and what the others do."""
        super().__init__(room, others)
        self.block = block
        self.own = policy()

    def rule(self, layer: int) -> Policy:
        """Return what scores a layer's held tokens."""
        return self.own if layer == self.block else self.policy
