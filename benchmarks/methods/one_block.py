# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What each block is for: one is pruned, the others keep all."""

from __future__ import annotations

import sys

from benchmarks.methods.shipped import Room, Shipped
from benchmarks.methods.tokens import Arrival, Tokens
from xstreamvggt_ros.cache.policies import Policy


class OneBlock(Shipped):
    """Prune one block to the control's tokens, and round nothing, so that pruning alone shows."""

    def __init__(self, room: Room, policy: type[Policy], block: int) -> None:
        """Take the block, and what it keeps by."""
        super().__init__(room, policy)
        self.block = block

    def slots(self, layer: int) -> int:
        """Return how many tokens a layer holds at most."""
        return self.room.slots if layer == self.block else sys.maxsize

    def layer_bytes(self, layer: int, held: Tokens) -> int:
        """Return what a layer takes at 16 bits."""
        return 4 * self.room.shape.width * len(held)

    def entered(self, arrival: Arrival) -> Tokens:
        """Return the new frame's tokens as they came."""
        entered = super().entered(arrival)
        return Tokens(
            arrival.new_keys, arrival.new_values, entered.frames, entered.grids, entered.notes
        )
