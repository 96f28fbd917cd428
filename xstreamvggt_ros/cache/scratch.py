# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one place where stored keys and values are unpacked, a layer at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.cache.layer_cache import LayerCache
from xstreamvggt_ros.cache.layout import AttentionShape
from xstreamvggt_ros.ops.dispatch import fused


class Scratch:
    """
    Unpacked keys and values (S, H, D) that all layers share.

    Behind the slots there is room for the current frame's own, so that nothing is concatenated.
    """

    def __init__(self, shape: AttentionShape, dtype: torch.dtype, device: torch.device) -> None:
        """Describe what is unpacked; nothing is allocated until `reserve`."""
        empty = torch.empty(0, shape.heads, shape.head_dim, dtype=dtype, device=device)
        self.keys = empty
        self.values = empty
        # The kernel that unpacks writes whole slots; a CPU attends head by head.
        self._by_head = device.type == 'cpu' and not fused(empty)
        self._in_place = False

    def reserve(self, tokens: int) -> None:
        """Make room for that many tokens; after the first time only a growing cache needs more."""
        if len(self.keys) < tokens:
            self.keys, self.values = self._empty(tokens), self._empty(tokens)

    def gather(self, cache: LayerCache, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Return what cache holds and, behind it, new keys and values (H, N, D): (T + N, H, D)."""
        held, total = cache.held, cache.held + keys.shape[1]
        cache.read(self.keys[:held], self.values[:held])
        if not self._in_place:
            self.keys[held:total] = keys.transpose(0, 1)
            self.values[held:total] = values.transpose(0, 1)
        self._in_place = False
        return self.keys[:total], self.values[:total]

    def room(self, held: int, tokens: int) -> tuple[Tensor, Tensor] | None:
        """
        Say where keys and values (N, H, D) that `gather` is given next are wanted, behind `held`.

        None where they may be anywhere; otherwise they have to be written there.
        """
        if self._by_head:
            return None
        self._in_place = True
        return self.keys[held : held + tokens], self.values[held : held + tokens]

    def _empty(self, tokens: int) -> Tensor:
        heads, dim = self.keys.shape[1:]
        if self._by_head:
            return self.keys.new_empty(heads, tokens, dim).transpose(0, 1)
        return self.keys.new_empty(tokens, heads, dim)

    def tensors(self) -> list[Tensor]:
        """Return the two tensors."""
        return [self.keys, self.values]
