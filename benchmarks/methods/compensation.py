# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is evicted leaves a token behind: RazorAttention (arXiv 2407.15891), log-n bias."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.methods.rounding import half_bytes, rounded
from benchmarks.methods.shipped import Extra, Room, Shipped
from benchmarks.methods.tokens import Arrival, Tokens

_BITS = 8
# Frame, count and weight, four bytes each.
_SUMS = 12


class Compensation(Shipped):
    """
    One token for each frame and layer: its evicted tokens' mean key and value, ln n on its logit.

    With n equal keys and values softmax would give just what the n gave. Means are kept at 8 bits
    and take a share of the bytes; beyond that the oldest become one. `weighted`: each token
    weighs as much as its attention x value when it goes.
    """

    def __init__(self, room: Room, share: float = 0.05, weighted: bool = False) -> None:
        """Take the share of the bytes."""
        super().__init__(room)
        self.weighted = weighted
        shape = room.shape
        self.mean_bytes = 2 * shape.heads * half_bytes(shape.head_dim, _BITS) + _SUMS
        self.most = max(int(share * (room.layer_bytes - room.fixed_bytes) // self.mean_bytes), 1)
        self.left: dict[int, Left] = {}

    def slots(self, layer: int) -> int:
        """Return how many tokens a layer holds at most."""
        left = self.room.layer_bytes - self.room.fixed_bytes - self.most * self.mean_bytes
        return left // self.token_bytes

    def layer_bytes(self, layer: int, held: Tokens) -> int:
        """Return what a layer takes."""
        left = self.left.get(layer)
        means = 0 if left is None else len(left.counts)
        return super().layer_bytes(layer, held) + means * self.mean_bytes

    def extra(self, layer: int) -> Extra | None:
        """Return the means, the logarithm of their counts as bias."""
        left = self.left.get(layer)
        return None if left is None else Extra(left.keys, left.values, left.counts.log())

    def survivors(self, arrival: Arrival, kept: int) -> Tokens:
        """Return the held tokens that stay, and take the others into the means."""
        held = arrival.held
        stay = super().survivors(arrival, kept)
        names = (each.frames.long() * self.room.frame.tokens + each.grids for each in (held, stay))
        gone = ~torch.isin(*names)
        if gone.any():
            weights = torch.ones(len(held))
            if self.weighted:
                weights = self.policy.attention.score(arrival.context(kept)).clamp_min(1e-9)
            before = self.left.get(arrival.layer)
            evicted = Left.of(held.take(gone), weights[gone])
            left = evicted if before is None else before.join(evicted)
            merged = left.merged(self.most)
            rounding = self.key_rounding(arrival)
            self.left[arrival.layer] = Left(
                rounding(merged.keys, _BITS),
                rounded(merged.values, _BITS),
                merged.frames,
                merged.counts,
                merged.weights,
            )
        return stay


class Left:
    """Means of evicted tokens: keys, values (M, H, D); frames, counts, weights (M,)."""

    def __init__(self, *parts: Tensor) -> None:
        """Take keys, values, frames, counts and weights."""
        self.keys, self.values, self.frames, self.counts, self.weights = parts

    @classmethod
    def of(cls, tokens: Tokens, weights: Tensor) -> Left:
        """Take each token (M,) for a mean of its own."""
        counts = torch.ones(len(tokens))
        return cls(tokens.keys, tokens.values, tokens.frames.long(), counts, weights)

    def join(self, other: Left) -> Left:
        """Return these and the others."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Left(*(torch.cat(pair) for pair in pairs))

    def merged(self, most: int) -> Left:
        """Return one mean for each frame, and one of all the oldest frames beyond the newest."""
        frames, place = self.frames.unique(return_inverse=True)
        beyond = max(len(frames) - most, 0)
        place, frames = (place - beyond).clamp_min(0), frames[beyond:]

        def total(part: Tensor) -> Tensor:
            return part.new_zeros(len(frames), *part.shape[1:]).index_add_(0, place, part)

        weights = total(self.weights)
        shares = (self.weights / weights[place])[:, None, None]
        keys, values = total(self.keys * shares), total(self.values * shares)
        return Left(keys, values, frames, total(self.counts), weights)
