# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every codec is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from xstreamvggt_ros.cache.codecs.unpacking import unpack_into
from xstreamvggt_ros.cache.rows import Rows
from xstreamvggt_ros.cache.slots import HeldTokens
from xstreamvggt_ros.ops.dispatch import fused
from xstreamvggt_ros.ops.stored import Stored


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
    def stored(self) -> Stored:
        """Say how all slots are laid out."""

    @abstractmethod
    def write(self, slots: Tensor, tokens: Tensor) -> None:
        """Store tokens (N, H, D) in slots (N,), rounding them."""

    def prepare(self, tokens: Tensor) -> bool:
        """
        Make ready for a kernel that stores tokens (N, H, D) as `stored` says.

        False where no kernel can, and `write` has to.
        """
        return self.stored().packed

    @property
    def waits(self) -> bool:
        """Whether to write asks the device for a number, which the host then waits for."""
        return False

    def read(self, out: Tensor) -> None:
        """Write what the first T slots hold into out (T, H, D)."""
        stored = self.stored()
        if fused(out) and stored.packed:
            from xstreamvggt_ros.ops.unpack import unpack_one

            unpack_one(stored, out)
        else:
            unpack_into(out, stored)

    def grow(self, slots: int) -> None:
        """Make room for that many slots."""
        self.rows.grow(slots)

    def clear(self) -> None:
        """Leave every slot as an empty one."""
        self.rows.clear()

    def check(self, tensors: Mapping[str, Tensor], held: int) -> None:
        """
        Raise ValueError unless saved tensors, of this codec's names and shapes, can be read.

        By default any bytes can.
        """
        return None

    def make_room(self, tensors: Mapping[str, Tensor], arrivals: int) -> None:
        """
        Grow to what saved tensors hold, as far as a stream of that many frames can have grown.

        Beside the slots nothing grows by default.
        """
        return None

    def loaded(self) -> None:
        """Take note that the tensors hold what another stream left."""
        return None

    def forced_evictions(self, held: int, tokens: HeldTokens) -> Tensor | None:
        """
        Return which of the first `held` slots must go before a new frame fits, or None.

        Protected ones of the tokens (held,) are never among them.
        """
        return None

    @property
    def most_forced(self) -> int:
        """The most tokens that `forced_evictions` can name."""
        return 0

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor that persists, by name."""
        return self.rows.tensors
