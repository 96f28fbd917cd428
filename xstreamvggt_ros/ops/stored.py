# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How numbers lie in slots: what writing and reading kernels have to agree about."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from xstreamvggt_ros.ops.dispatch import power_of_two


@dataclass(frozen=True)
class Stored:
    """
    The keys, or the values, of S slots.

    rows: (S, H, D * bits / 8) bytes, or (S, H, D) numbers with 16 bits, which are not packed. A
    number is minimum + step * code, both (S, H, 1), one per token and head; or, with group (S,),
    (G, H, D), one per group and channel. channels, a gain and an offset (H, D) each, are then
    applied to each channel.
    """

    rows: Tensor
    bits: int
    minimum: Tensor | None = None
    step: Tensor | None = None
    channels: tuple[Tensor, Tensor] | None = None
    group: Tensor | None = None

    @property
    def packed(self) -> bool:
        """Whether numbers are packed into bytes, as the kernels can unpack them."""
        return self.bits < 16 and power_of_two(self.rows.shape[-1])
