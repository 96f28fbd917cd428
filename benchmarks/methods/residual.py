# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tokens as differences to others: DeltaKV's idea (arXiv 2602.08005), without its training."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.methods.rounding import rounded
from benchmarks.methods.shipped import Room
from benchmarks.methods.tiers import NARROW, Tiers
from benchmarks.methods.tokens import Arrival, Tokens

REFERENCE = 'reference'
_NONE = -1
# Which slot a token refers to.
_INDEX = 2


class Residual(Tiers):
    """
    As tiers, but a demoted token is stored as its difference, at 2 bits, to a wide one that stays.

    That is the wide token of the nearest key, or, with `by_cell`, the nearest of those of the same
    grid cell, where there is one. A token that is referred to is neither demoted nor evicted.
    """

    def __init__(self, room: Room, share: float = 0.25, by_cell: bool = False) -> None:
        """Take the share of the bytes, and how references are found."""
        self.by_cell = by_cell
        super().__init__(room, share=share)

    @property
    def narrow_bytes(self) -> int:
        """What a difference takes, the index of its reference with it."""
        return super().narrow_bytes + _INDEX

    def notes(self, arrival: Arrival) -> dict[str, Tensor]:
        """Note that new tokens refer to none, too."""
        notes = super().notes(arrival)
        return {**notes, REFERENCE: torch.full(notes[NARROW].shape, _NONE)}

    def wanted(self, held: Tokens) -> Tensor:
        """Say which tokens (T,) others refer to."""
        return torch.isin(self._names(held), held.notes[REFERENCE])

    def demote(self, held: Tokens, demoted: Tensor, arrival: Arrival) -> Tokens:
        """Return the held tokens, those at places `demoted` (M,) as rounded differences."""
        narrow = held.notes[NARROW].clone()
        narrow[demoted] = True
        wide = (~narrow).nonzero()[:, 0]
        chosen = wide[self._nearest(held, demoted, wide)]
        keys, values = held.keys.clone(), held.values.clone()
        gain = self.key_rounding(arrival).gain
        apart = (held.keys[demoted] - held.keys[chosen]) / gain
        keys[demoted] = held.keys[chosen] + rounded(apart, self.bits[0]) * gain
        values[demoted] = held.values[chosen] + rounded(
            held.values[demoted] - held.values[chosen], self.bits[1]
        )
        reference = held.notes[REFERENCE].clone()
        reference[demoted] = self._names(held)[chosen]
        notes = {**held.notes, NARROW: narrow, REFERENCE: reference}
        return Tokens(keys, values, held.frames, held.grids, notes)

    def _nearest(self, held: Tokens, demoted: Tensor, wide: Tensor) -> Tensor:
        """Return which of the wide places each demoted one (M,) refers to."""
        keys = held.keys.flatten(1)
        apart = torch.cdist(keys[demoted], keys[wide])
        if self.by_cell:
            elsewhere = held.grids[demoted][:, None] != held.grids[wide]
            apart = apart + elsewhere * (apart.max() + 1)
        return apart.argmin(dim=1)

    def _names(self, held: Tokens) -> Tensor:
        return held.frames.long() * self.room.frame.tokens + held.grids
