# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""XStreamVGGT's memory as its paper describes it, done the plain way (arXiv 2601.01204)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

_GROUP = 64


class NaiveMemory:
    """
    Concatenate, attend, gather what is kept, and round all of it to 4 bits, each frame anew.

    Nothing is stored in 4 bits: the numbers lie on the grid of 4 bits and stay of their type. The
    camera head's lists are pruned by the same rule, a token being a frame.
    """

    def __init__(self, budget: int, special_tokens: int, pool_size: int = 16) -> None:
        """Begin empty."""
        self.budget = budget
        self._special_tokens = special_tokens
        self._pool_size = pool_size
        self.held: dict[tuple, tuple[Tensor, Tensor]] = {}
        self.attend = functional.scaled_dot_product_attention

    def global_room(self, layer: int, tokens: int) -> None:
        """Want keys and values nowhere in particular: they are concatenated."""
        return None

    def attend_global(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend (1, H, N, D) to everything held, then prune and round."""
        return self._attend(('global', layer), queries, keys, values, self._special_tokens)

    def attend_camera(
        self, iteration: int, block: int, queries: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        """Attend (1, H, 1, D) likewise, all iterations sharing a list."""
        return self._attend(('camera', block), queries, keys, values, 1)

    def tensors(self) -> list[Tensor]:
        """Return what is held between frames."""
        return [tensor for pair in self.held.values() for tensor in pair]

    def _attend(
        self, key: tuple, queries: Tensor, keys: Tensor, values: Tensor, special: int
    ) -> Tensor:
        if key in self.held:
            keys = torch.cat([self.held[key][0], keys], dim=2)
            values = torch.cat([self.held[key][1], values], dim=2)
        attended = self.attend(queries, keys, values)
        arriving, total = queries.shape[2], keys.shape[2]
        if total > self.budget:
            kept = self._kept(queries, keys, arriving, special)
            keys, values = keys[:, :, kept], values[:, :, kept]
        self.held[key] = rounded(keys, dim=2), rounded(values, dim=3)
        return attended

    def _kept(self, queries: Tensor, keys: Tensor, arriving: int, special: int) -> Tensor:
        """Return the indices of the first frame, the newest and the best of the rest."""
        first, patches = queries[0, :, :special], queries[0, :, special:]
        pooled = [part.mean(dim=1, keepdim=True) for part in patches.split(self._pool_size, 1)]
        probes = torch.cat([first, *pooled], dim=1).mean(dim=0)
        scores = (probes @ keys[0].mean(dim=0).t()).mean(dim=0)
        total = keys.shape[2]
        middle = scores[arriving : total - arriving]
        count = min(max(0, self.budget - 2 * arriving), len(middle))
        best = middle.topk(count).indices.sort().values + arriving
        places = torch.arange(total, device=keys.device)
        return torch.cat([places[:arriving], best, places[total - arriving :]])


def rounded(numbers: Tensor, dim: int) -> Tensor:
    """Round (1, H, T, D) to 16 levels between the extremes of each 64 along dim."""
    length = numbers.shape[dim]
    padded = numbers.transpose(dim, -1)[0]
    padded = functional.pad(padded, (0, -length % _GROUP), mode='replicate')
    groups = padded.unflatten(-1, (-1, _GROUP))
    low, high = groups.aminmax(dim=-1, keepdim=True)
    step = ((high - low) / 15).clamp_min(1e-8)
    groups = ((groups - low) / step).round_() * step + low
    return groups.flatten(-2)[None, ..., :length].transpose(dim, -1).contiguous()
