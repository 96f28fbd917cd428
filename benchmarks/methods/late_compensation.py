# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Means of the evicted, but not in the first blocks."""

from __future__ import annotations

from benchmarks.methods.compensation import Compensation
from benchmarks.methods.shipped import Room, Shipped
from benchmarks.methods.tokens import Arrival, Tokens


class LateCompensation(Compensation):
    """As `Compensation` in the blocks from `first` on, as `Shipped` before."""

    def __init__(self, room: Room, first: int, weighted: bool = True) -> None:
        """Take the index of the first block that has means."""
        super().__init__(room, weighted=weighted)
        self.first = first

    def slots(self, layer: int) -> int:
        """Return how many tokens a layer holds at most."""
        kind = Shipped if layer < self.first else Compensation
        return kind.slots(self, layer)

    def survivors(self, arrival: Arrival, kept: int) -> Tokens:
        """Return the held tokens that stay, `kept` of them."""
        kind = Shipped if arrival.layer < self.first else Compensation
        return kind.survivors(self, arrival, kept)
