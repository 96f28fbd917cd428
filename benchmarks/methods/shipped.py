# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The cache that ships, dense: the control, and what methods change a part of."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.methods.rounding import half_bytes, KeyRounding, rounded
from benchmarks.methods.tokens import Arrival, Tokens
from xstreamvggt_ros.cache import AttentionShape, FrameLayout
from xstreamvggt_ros.cache.policies import Policy
from xstreamvggt_ros.cache.policies.mixed import AttentionCoverage
from xstreamvggt_ros.cache.slots import choose_evictions, keep_order

# Frame and grid index of a slot, int32. Of channels: offset and gain in fp16; of a layer: a flag.
_PLACE, _FACTORS, _FLAG = 8, 4, 1
BITS = 4


@dataclass(frozen=True)
class Room:
    """What the control has: so many slots in each layer, for frames of a layout."""

    slots: int
    shape: AttentionShape
    frame: FrameLayout

    def token_bytes(self, key_bits: int, value_bits: int, key_channels: int | None = None) -> int:
        """Return what a slot takes at those bits, a policy's note of the value's size with it."""
        heads, width = self.shape.heads, self.shape.head_dim
        key = half_bytes(width if key_channels is None else key_channels, key_bits)
        return heads * (key + half_bytes(width, value_bits)) + _PLACE + 2 * heads

    @property
    def fixed_bytes(self) -> int:
        """What a layer takes beside its slots: the factors of its channels."""
        return _FACTORS * self.shape.width + _FLAG

    @property
    def layer_bytes(self) -> int:
        """What each layer may take."""
        return self.slots * self.token_bytes(BITS, BITS) + self.fixed_bytes


@dataclass(frozen=True)
class Extra:
    """What is attended to beside tokens: keys, values (M, H, D), and a bias (M,) on logits."""

    keys: Tensor
    values: Tensor
    bias: Tensor


class Shipped:
    """
    Keep by `attention_coverage`, round to 4 bits once, as `StreamCache` does.

    A method overrides what it does otherwise: `admit` (who stays, and in what form), `extra`
    (what is attended to beside), `layer_bytes` (what that takes).
    """

    def __init__(self, room: Room, policy: type[Policy] = AttentionCoverage) -> None:
        """Take the control's room, and what scores held tokens."""
        self.room = room
        self.policy = policy()
        self._keys: dict[int, KeyRounding] = {}

    def admit(self, arrival: Arrival) -> Tokens:
        """Return what a layer holds after a frame."""
        kept = min(len(arrival.held), self.slots(arrival.layer) - arrival.queries.shape[1])
        return self.survivors(arrival, kept).join(self.entered(arrival))

    def extra(self, layer: int) -> Extra | None:
        """Return what a layer attends to beside held and new tokens."""
        return None

    def layer_bytes(self, layer: int, held: Tokens) -> int:
        """Return what a layer takes."""
        return len(held) * self.token_bytes + self.room.fixed_bytes

    @property
    def token_bytes(self) -> int:
        """What a slot takes."""
        return self.room.token_bytes(BITS, BITS)

    def slots(self, layer: int) -> int:
        """Return how many tokens a layer holds at most."""
        return (self.room.layer_bytes - self.room.fixed_bytes) // self.token_bytes

    def survivors(self, arrival: Arrival, kept: int) -> Tokens:
        """Return the held tokens that stay, `kept` of them."""
        held = arrival.held
        if kept == len(held):
            return held
        lowest = choose_evictions(
            self.order(arrival, kept), len(held) - kept, self.protected(held, arrival.layer)
        )
        stays = torch.ones(len(held), dtype=torch.bool)
        stays[lowest] = False
        return held.take(stays)

    def order(self, arrival: Arrival, kept: int) -> Tensor:
        """Rank held tokens by one number each (T,); the higher stays."""
        scores = self.rule(arrival.layer).score(arrival.context(kept))
        return keep_order(scores, arrival.held.frames, arrival.held.grids, arrival.newest)

    def rule(self, layer: int) -> Policy:
        """Return what scores a layer's held tokens."""
        return self.policy

    def protected(self, held: Tokens, layer: int) -> Tensor:
        """Say which held tokens (T,) always stay: the first frame, or its special tokens."""
        frame = self.room.frame
        whole = 2 * frame.tokens <= self.slots(layer)
        return (held.frames == 0) & (
            held.grids < (frame.tokens if whole else frame.special_tokens)
        )

    def entered(self, arrival: Arrival) -> Tokens:
        """Return the new frame's tokens as they are stored."""
        count = len(arrival.new_keys)
        return Tokens(
            keys=self.stored_keys(arrival),
            values=rounded(arrival.new_values, BITS),
            frames=torch.full((count,), arrival.newest, dtype=torch.int32),
            grids=torch.arange(count, dtype=torch.int32),
            notes=self.notes(arrival),
        )

    def notes(self, arrival: Arrival) -> dict[str, Tensor]:
        """Return {name: (N, ...)}, what is noted of the new tokens."""
        rows = self.policy.rows(arrival.context(len(arrival.held)))
        return {name: note.half() for name, note in rows.items()}

    def stored_keys(self, arrival: Arrival) -> Tensor:
        """Return the new keys (N, H, D) as they are stored."""
        return self.key_rounding(arrival)(arrival.new_keys, BITS)

    def key_rounding(self, arrival: Arrival) -> KeyRounding:
        """Return the layer's rounding, frozen from the first frame."""
        if arrival.layer not in self._keys:
            self._keys[arrival.layer] = KeyRounding(arrival.new_keys)
        return self._keys[arrival.layer]
