# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fewer bits before eviction: MiKV (arXiv 2402.18096), DiffKV (arXiv 2412.03131)."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.methods.rounding import rounded
from benchmarks.methods.shipped import BITS, Room, Shipped
from benchmarks.methods.tokens import Arrival, Tokens
from xstreamvggt_ros.cache.policies import Policy
from xstreamvggt_ros.cache.policies.mixed import AttentionCoverage
from xstreamvggt_ros.cache.slots import choose_evictions

NARROW = 'narrow'


class Tiers(Shipped):
    """
    A share of the bytes holds tokens at fewer bits.

    A frame enters at 4 bits. Of the wide tokens beyond their room those of the lowest score are
    rounded a second time, from what the first rounding left; of the narrow ones beyond theirs the
    lowest are evicted. No token comes back.
    """

    def __init__(
        self,
        room: Room,
        policy: type[Policy] = AttentionCoverage,
        share: float = 0.25,
        key_bits: int = 2,
        value_bits: int = 2,
    ) -> None:
        """Take the share of the bytes, and the bits of a narrow token's key and value."""
        super().__init__(room, policy)
        self.bits = key_bits, value_bits
        self.narrow_slots = int(share * self._bytes // self.narrow_bytes)

    @property
    def _bytes(self) -> int:
        return self.room.layer_bytes - self.room.fixed_bytes

    @property
    def narrow_bytes(self) -> int:
        """What a narrow slot takes."""
        return self.room.token_bytes(*self.bits)

    def slots(self, layer: int) -> int:
        """Return how many wide tokens a layer holds at most."""
        return (self._bytes - self.narrow_slots * self.narrow_bytes) // self.token_bytes

    def layer_bytes(self, layer: int, held: Tokens) -> int:
        """Return what a layer takes."""
        narrow = int(held.notes[NARROW].sum())
        wide = len(held) - narrow
        return wide * self.token_bytes + narrow * self.narrow_bytes + self.room.fixed_bytes

    def notes(self, arrival: Arrival) -> dict[str, Tensor]:
        """
        Note that new tokens are wide, too.

        It takes no byte: where a slot lies says as much.
        """
        wide = torch.zeros(len(arrival.new_keys), dtype=torch.bool)
        return {**super().notes(arrival), NARROW: wide}

    def admit(self, arrival: Arrival) -> Tokens:
        """Demote and evict, then let the frame in."""
        held, layer = arrival.held, arrival.layer
        if not len(held):
            return self.entered(arrival)
        narrow = held.notes[NARROW]
        room = self.slots(layer) - len(arrival.new_keys)
        excess = int((~narrow).sum()) - room
        if excess > 0:
            order = self.order(arrival, len(held))
            stays_wide = narrow | self.protected(held, layer) | self.wanted(held)
            demoted = choose_evictions(order, excess, stays_wide)
            held = self.demote(held, demoted, arrival)
            beyond = int(held.notes[NARROW].sum()) - self.narrow_slots
            if beyond > 0:
                stays = torch.ones(len(held), dtype=torch.bool)
                stays[choose_evictions(order, beyond, ~held.notes[NARROW])] = False
                held = held.take(stays)
        return held.join(self.entered(arrival))

    def wanted(self, held: Tokens) -> Tensor:
        """Say which tokens (T,) have to stay wide for others' sake: none."""
        return torch.zeros(len(held), dtype=torch.bool)

    def demote(self, held: Tokens, demoted: Tensor, arrival: Arrival) -> Tokens:
        """Return the held tokens, those at places `demoted` (M,) at fewer bits."""
        keys, values, narrow = (
            each.clone() for each in (held.keys, held.values, held.notes[NARROW])
        )
        key_bits, value_bits = self.bits
        if key_bits < BITS:
            keys[demoted] = self.key_rounding(arrival)(keys[demoted], key_bits)
        if value_bits < BITS:
            values[demoted] = rounded(values[demoted], value_bits)
        narrow[demoted] = True
        return Tokens(keys, values, held.frames, held.grids, {**held.notes, NARROW: narrow})
