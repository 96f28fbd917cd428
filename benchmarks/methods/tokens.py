# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a layer holds, and what it is told of a frame; shapes in T held and N new tokens, H, D."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from xstreamvggt_ros.cache import FrameLayout
from xstreamvggt_ros.cache.policies import EvictionContext


@dataclass(frozen=True)
class Tokens:
    """
    Tokens of a layer.

    keys, values: (T, H, D), as they are read. frames, grids: (T,), int32. notes: {name: (T, ...)},
    what a method knows of each beside.
    """

    keys: Tensor
    values: Tensor
    frames: Tensor
    grids: Tensor
    notes: dict[str, Tensor]

    def __len__(self) -> int:
        """T."""
        return len(self.frames)

    def take(self, chosen: Tensor) -> Tokens:
        """Return those that a mask (T,) or places (M,) choose."""
        notes = {name: note[chosen] for name, note in self.notes.items()}
        parts = (getattr(self, field.name) for field in fields(self)[:-1])
        return Tokens(*(part[chosen] for part in parts), notes)

    def join(self, other: Tokens) -> Tokens:
        """Return these and, behind them, the others, which have the same notes."""
        if not len(self):
            return other
        notes = {name: torch.cat([note, other.notes[name]]) for name, note in self.notes.items()}
        names = [field.name for field in fields(self)[:-1]]
        parts = (torch.cat([getattr(self, name), getattr(other, name)]) for name in names)
        return Tokens(*parts, notes)


@dataclass(frozen=True)
class Arrival:
    """
    A frame at a layer.

    queries: (H, N, D). keys, values: (T + N, H, D), the held ones as read, behind them the new
    ones in full. held: T tokens. layer, layers: index of the layer, of so many. newest: index of
    the frame.
    """

    queries: Tensor
    keys: Tensor
    values: Tensor
    held: Tokens
    layer: int
    layers: int
    newest: int
    frame: FrameLayout

    @property
    def new_keys(self) -> Tensor:
        """(N, H, D)."""
        return self.keys[len(self.held) :]

    @property
    def new_values(self) -> Tensor:
        """(N, H, D)."""
        return self.values[len(self.held) :]

    def context(self, kept: int) -> EvictionContext:
        """Say the same as the package's policies are told it; so many held tokens will stay."""
        held = self.held
        return EvictionContext(
            queries=self.queries,
            keys=self.keys,
            values=self.values,
            state=held.notes,
            frames=held.frames,
            grids=held.grids,
            kept=kept,
            newest=self.newest,
            layer=self.layer,
            layers=self.layers,
            frame=self.frame,
        )
