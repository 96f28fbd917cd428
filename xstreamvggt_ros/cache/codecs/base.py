# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every codec is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from xstreamvggt_ros.cache.rows import Rows


class Codec(ABC):
    """
    Store the keys, or the values, of one layer's slots.

    A codec owns its tensors. Numbers are rounded once, when a token is written; what is read is
    the stored form, and no later token changes it.
    """

    rows: Rows

    @abstractmethod
    def allocate(self, slots: int, device: torch.device) -> None:
        """Allocate the storage of that many slots."""

    @abstractmethod
    def write(self, slots: Tensor, tokens: Tensor) -> None:
        """Store tokens (N, H, D) in slots (N,), rounding them."""

    @abstractmethod
    def read(self, out: Tensor) -> None:
        """Write what the first T slots hold into out (T, H, D)."""

    def grow(self, slots: int) -> None:
        """Make room for that many slots."""
        self.rows.grow(slots)

    def check(self, tensors: Mapping[str, Tensor], held: int) -> None:
        """
        Raise ValueError unless saved tensors, of this codec's names and shapes, can be read.

        By default any bytes can.
        """
        return None

    def forced_evictions(self, held: int, protected: Tensor) -> Tensor | None:
        """
        Return which of the first `held` slots must go before a new frame fits, or None.

        `protected` (held,) slots are never among them.
        """
        return None

    @property
    def most_forced(self) -> int:
        """The most tokens that `forced_evictions` can name."""
        return 0

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor that persists, by name."""
        return self.rows.tensors
