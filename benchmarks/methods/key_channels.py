# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Channels of keys that queries want least are dropped: ThinK (arXiv 2407.21018)."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.methods.rounding import rounded
from benchmarks.methods.shipped import BITS, Room, Shipped
from benchmarks.methods.tokens import Arrival, Tokens


class KeyChannels(Shipped):
    """
    Store of each head the channels d of the largest ||Q_d|| ||K_d||, both of the first frame.

    A dropped channel reads as its offset, which is stored in any case.
    """

    def __init__(self, room: Room, dropped: float = 0.25) -> None:
        """Take the share of the channels that is dropped."""
        super().__init__(room)
        self.kept = round((1 - dropped) * room.shape.head_dim / 2) * 2
        self._channels: dict[int, Tensor] = {}

    @property
    def token_bytes(self) -> int:
        """What a slot takes."""
        return self.room.token_bytes(BITS, BITS, self.kept)

    def layer_bytes(self, layer: int, held: Tokens) -> int:
        """Return what a layer takes, the names of its channels with it."""
        return super().layer_bytes(layer, held) + self._names_bytes

    def slots(self, layer: int) -> int:
        """Return how many tokens a layer holds at most."""
        left = self.room.layer_bytes - self.room.fixed_bytes - self._names_bytes
        return left // self.token_bytes

    @property
    def _names_bytes(self) -> int:
        return self.room.shape.heads * self.kept

    def stored_keys(self, arrival: Arrival) -> Tensor:
        """Return the new keys (N, H, D) as they are stored."""
        if arrival.layer not in self._channels:
            self._channels[arrival.layer] = wanted(arrival.queries, arrival.new_keys, self.kept)
        rounding = self.key_rounding(arrival)
        places = self._channels[arrival.layer].expand(len(arrival.new_keys), -1, -1)
        plain = (arrival.new_keys - rounding.offset) / rounding.gain
        kept = rounded(plain.gather(2, places), BITS)
        return torch.zeros_like(plain).scatter_(2, places, kept) * rounding.gain + rounding.offset


def wanted(queries: Tensor, keys: Tensor, kept: int) -> Tensor:
    """Return the `kept` channels (H, K) of each head, given queries (H, N, D), keys (N, H, D)."""
    size = queries.norm(dim=1) * keys.norm(dim=0)
    return size.topk(kept, dim=1).indices
