# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tokens between blocks whose last branch is added where they are next read: on CUDA, one pass."""

from __future__ import annotations

import torch
from torch import nn, Tensor

from xstreamvggt_ros.ops.dispatch import fused


class Residual:
    """
    Tokens x (B, N, C) fp32, and a branch (B, N, C) of them that is still to be added.

    Only the package's own kernels gain by that; see `ops.residual_norm`.
    """

    def __init__(self, x: Tensor) -> None:
        """Begin with tokens and no branch."""
        self._x = x
        self._branch: Tensor | None = None
        self._gain: Tensor | None = None
        self._target: Tensor | None = None

    @staticmethod
    def pays(x: Tensor) -> bool:
        """Whether tokens (B, N, C) are to go through blocks by fused passes."""
        if not (fused(x) and x.dtype == torch.float32):
            return False
        from xstreamvggt_ros.ops.residual_norm import fits

        return fits(x)

    def branch(self, branch: Tensor, gain: Tensor) -> None:
        """Add a branch (B, N, C), each channel multiplied by its gain (C,), when next read."""
        self._branch, self._gain = branch, gain

    def write_to(self, target: Tensor) -> None:
        """Have the sum written to `target` (B, N, C), rows evenly spaced, when next read."""
        self._target = target

    def normed(self, norm: nn.LayerNorm, dtype: torch.dtype) -> Tensor:
        """Return the layer norm of the sum in dtype, (B, N, C)."""
        return self._read(norm, dtype)

    def settled(self) -> Tensor:
        """Return the sum (B, N, C)."""
        if self._branch is not None:
            self._read(None, torch.float32)
        return self._x

    def reshape(self, batch: int) -> None:
        """Lay the same tokens out in that many sequences."""
        parts = (self._x, self._branch, self._target)
        shape = batch, -1, self._x.shape[-1]
        self._x, self._branch, self._target = (
            None if part is None else part.view(shape) for part in parts
        )

    def _read(self, norm: nn.LayerNorm | None, dtype: torch.dtype) -> Tensor | None:
        from xstreamvggt_ros.ops.residual_norm import residual_norm

        parts = self._x, self._branch, self._gain, norm, dtype, self._target
        self._x, out = residual_norm(*parts)
        self._branch = self._gain = self._target = None
        return out
