# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""No quantisation."""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.cache.codecs.base import Codec
from xstreamvggt_ros.cache.rows import Rows, RowSpec
from xstreamvggt_ros.ops.stored import Stored


class PlainCodec(Codec):
    """Keep tokens in the model's own precision."""

    def __init__(self, heads: int, head_dim: int, dtype: torch.dtype) -> None:
        """Describe tokens (H, D) of that type."""
        self._specs = {'plain': RowSpec((heads, head_dim), dtype)}

    def allocate(self, slots: int, device: torch.device) -> None:
        """Allocate the storage of that many slots."""
        self.rows = Rows(self._specs, slots, device)

    def stored(self) -> Stored:
        """Say how all slots are laid out."""
        return Stored(self.rows['plain'], bits=16)

    def prepare(self, tokens: Tensor) -> bool:
        """Say yes: a kernel copies them."""
        return True

    def write(self, slots: Tensor, tokens: Tensor) -> None:
        """Store tokens (N, H, D) in slots (N,)."""
        self.rows.write(slots, {'plain': tokens})

    def read(self, out: Tensor) -> None:
        """Write what the first T slots hold into out (T, H, D)."""
        out.copy_(self.rows['plain'][: len(out)])
