# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores that add up over frames: H2O (arXiv 2306.14048)."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from benchmarks.methods.shipped import Room, Shipped
from benchmarks.methods.tokens import Arrival, Tokens
from xstreamvggt_ros.cache.policies import EvictionContext, Policy
from xstreamvggt_ros.cache.policies.attention import AttentionValue
from xstreamvggt_ros.cache.policies.mixed import AttentionCoverage

SUM = 'sum'


class Accumulated(Shipped):
    """
    Attention x value of all frames since a token came: a_t = decay a_(t-1) + s_t.

    It takes the place of the newest frame's in the shipped policy, or, `alone`, decides alone.
    """

    def __init__(self, room: Room, decay: float = 0.8, alone: bool = False) -> None:
        """Take what a frame's score has left a frame later."""
        super().__init__(room)
        self.decay = decay
        self.newest = AttentionValue()
        self.policy = Noted() if alone else NotedCoverage()

    @property
    def token_bytes(self) -> int:
        """What a slot takes, the sum in fp16 with it."""
        return super().token_bytes + 2

    def notes(self, arrival: Arrival) -> dict[str, Tensor]:
        """Note that nothing has looked at new tokens yet, too."""
        return {**super().notes(arrival), SUM: torch.zeros(len(arrival.new_keys)).half()}

    def admit(self, arrival: Arrival) -> Tokens:
        """Add the new frame's scores, then do as ever."""
        held = arrival.held
        if len(held):
            score = self.newest.score(arrival.context(len(held)))
            total = (self.decay * held.notes[SUM].float() + score).half()
            arrival = replace(arrival, held=replace(held, notes={**held.notes, SUM: total}))
        return super().admit(arrival)


class Noted(Policy):
    """Score by the sum that is noted of each token."""

    notes = AttentionValue.notes

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        return context.state[SUM].float()


class NotedCoverage(AttentionCoverage):
    """The shipped policy, its attention replaced by the sum."""

    def __init__(self, pool_size: int = 16, seed: int = 0) -> None:
        """Take what policies take."""
        super().__init__(pool_size, seed)
        self.attention = Noted(pool_size, seed)
