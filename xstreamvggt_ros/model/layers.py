# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The transformer block that encoder, aggregator and camera head are made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn, Tensor

from xstreamvggt_ros.model.residual import Residual
from xstreamvggt_ros.model.rope import RotaryTable
from xstreamvggt_ros.ops.attention import attend as attend_all
from xstreamvggt_ros.ops.dispatch import fused, power_of_two

# Queries, keys and values (B, H, N, D) to attended values (B, H, N, D).
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]
# Where the keys and values (B N, H, D) of tokens are wanted in memory; None: anywhere.
Room = Callable[[], tuple[Tensor, Tensor] | None]

MLP_RATIO = 4


class LayerScale(nn.Module):
    """Multiply each channel by a learnt gain."""

    def __init__(self, dim: int) -> None:
        """Start at 1, so that an untrained block is a plain one."""
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))

    def forward(self, x: Tensor) -> Tensor:
        """Scale x (..., C)."""
        return x * self.gamma


class Mlp(nn.Module):
    """Two linear layers with an exact GELU between them."""

    def __init__(self, dim: int, hidden: int, out: int) -> None:
        """Build dim -> hidden -> out."""
        super().__init__()
        self.fc1 = nn.Linear(dim, hidden)
        self.activation = nn.GELU()
        self.fc2 = nn.Linear(hidden, out)

    def forward(self, x: Tensor) -> Tensor:
        """Map x (..., dim) to (..., out)."""
        return self.fc2(self.activation(self.fc1(x)))


class Attention(nn.Module):
    """Multi-head attention whose keys and values may come from elsewhere too."""

    def __init__(self, dim: int, num_heads: int, qk_norm: bool) -> None:
        """Build for tokens of width dim; qk_norm normalises queries and keys per head."""
        super().__init__()
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.q_norm = nn.LayerNorm(dim // num_heads) if qk_norm else nn.Identity()
        self.k_norm = nn.LayerNorm(dim // num_heads) if qk_norm else nn.Identity()
        self.proj = nn.Linear(dim, dim)
        # What queries, keys and values are given in; None: as the tokens come.
        self.dtype: torch.dtype | None = None

    def forward(
        self,
        x: Tensor,
        attend: Attend,
        rope: RotaryTable | None = None,
        room: Room | None = None,
    ) -> Tensor:
        """
        Attend tokens x (B, N, C); `attend` says to what.

        It is given queries, keys and values (B, H, N, D), keys after k_norm and RoPE, so that
        what it keeps of them never has to be computed again. `room` is asked where keys and
        values may be written, only where that is then done.
        """
        queries, keys, values = self._queries_keys_values(x, rope, room)
        attended = attend(queries, keys, values)
        return self.proj(attended.transpose(1, 2).flatten(2).to(x.dtype))

    def _queries_keys_values(
        self, x: Tensor, rope: RotaryTable | None, room: Room | None
    ) -> tuple[Tensor, ...]:
        """Return each (B, H, N, D): on CUDA by one kernel, elsewhere step by step."""
        dtype = self.dtype or x.dtype
        projected = self.qkv(x)
        if rope is not None and self._can_fuse(projected):
            from xstreamvggt_ros.ops.norm_rotate import norm_and_rotate

            norms, tables = (self.q_norm, self.k_norm), (rope.cos, rope.sin)
            place = room() if room is not None else None
            return norm_and_rotate(projected, *norms, *tables, self.num_heads, dtype, place)
        queries, keys, values = projected.unflatten(-1, (3, self.num_heads, -1)).permute(
            2, 0, 3, 1, 4
        )
        queries, keys = self.q_norm(queries), self.k_norm(keys)
        if rope is not None:
            queries, keys = rope.rotate(queries), rope.rotate(keys)
        return queries.to(dtype), keys.to(dtype), values.to(dtype)

    def _can_fuse(self, projected: Tensor) -> bool:
        dim = projected.shape[-1] // 3 // self.num_heads
        norms = isinstance(self.q_norm, nn.LayerNorm) and self.q_norm.eps == self.k_norm.eps
        return fused(projected) and norms and power_of_two(dim)


class Block(nn.Module):
    """Pre-norm transformer block with LayerScale on both branches."""

    def __init__(
        self, dim: int, num_heads: int, *, qk_norm: bool = False, eps: float = 1e-5
    ) -> None:
        """Build for tokens of width dim; eps is that of the two LayerNorms."""
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=eps)
        self.attn = Attention(dim, num_heads, qk_norm)
        self.ls1 = LayerScale(dim)
        self.norm2 = nn.LayerNorm(dim, eps=eps)
        self.mlp = Mlp(dim, MLP_RATIO * dim, dim)
        self.ls2 = LayerScale(dim)

    def forward(
        self,
        x: Tensor,
        attend: Attend = attend_all,
        rope: RotaryTable | None = None,
    ) -> Tensor:
        """Map tokens (B, N, C) to tokens (B, N, C); see Attention for `attend`."""
        x = x + self.ls1(self.attn(self.norm1(x), attend, rope))
        return x + self.ls2(self.mlp(self.norm2(x)))

    def advance(
        self,
        tokens: Residual,
        attend: Attend = attend_all,
        rope: RotaryTable | None = None,
        room: Room | None = None,
    ) -> None:
        """Do the same to tokens whose branches are added where they are next read."""
        dtype = self.attn.dtype or torch.float32
        attended = self.attn(tokens.normed(self.norm1, dtype), attend, rope, room)
        tokens.branch(attended, self.ls1.gamma)
        tokens.branch(self.mlp(tokens.normed(self.norm2, dtype)), self.ls2.gamma)
