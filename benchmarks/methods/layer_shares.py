# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shares of the bytes by layer: InfiniteVGGT (arXiv 2601.02281), OVGGT, HERMES."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from benchmarks.methods.shipped import Room, Shipped
from benchmarks.methods.tokens import Arrival, Tokens


class LayerShares(Shipped):
    """
    Layers take unlike shares of the same sum, fixed once some frames have been seen.

    Shares are given, or the softmax of the layers' diversity d_l / temperature (InfiniteVGGT),
    d_l = 1 - mean_hj cos(k_hj, mean_j k_hj) over the frames seen. No layer is left with less than
    the first and the newest frame. A negative temperature gives most where keys are alike.
    """

    frames = 4

    def __init__(self, room: Room, shares: Sequence[float] = (), temperature: float = 0.1) -> None:
        """Take the shares, or what the softmax divides by."""
        super().__init__(room)
        self.temperature = 0 if shares else temperature
        self.diversity: list[Tensor] = []
        self._slots = [super().slots(0)] * room.shape.blocks
        if shares:
            self._divide(torch.tensor(shares))

    def slots(self, layer: int) -> int:
        """Return how many tokens a layer holds at most."""
        return self._slots[layer]

    def admit(self, arrival: Arrival) -> Tokens:
        """Do as ever; after the first frames, divide the bytes."""
        held = super().admit(arrival)
        if self.temperature and arrival.newest == self.frames - 1:
            self.diversity.append(diversity(arrival.keys))
            if len(self.diversity) == len(self._slots):
                self._divide((torch.stack(self.diversity) / self.temperature).softmax(dim=0))
        return held

    def _divide(self, shares: Tensor) -> None:
        """Set the slots by shares (L,) of whatever sum, none below two frames."""
        least, total = 2 * self.room.frame.tokens, sum(self._slots)
        over = (shares / shares.sum() * total - least).clamp_min(0)
        spare = total - least * len(self._slots)
        self._slots = [least + int(each) for each in over / over.sum() * spare]


def diversity(keys: Tensor) -> Tensor:
    """Return a number for keys (T, H, D)."""
    return 1 - cosine_similarity(keys, keys.mean(dim=0, keepdim=True), dim=-1).mean()
