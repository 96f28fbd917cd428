# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The transformer block that encoder, aggregator and camera head are made of."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn, Tensor

from xstreamvggt_ros.model.rope import RotaryTable
from xstreamvggt_ros.ops.attention import attend as attend_all
from xstreamvggt_ros.ops.attention import has_triton

# Queries, keys and values (B, H, N, D) to attended values (B, H, N, D).
Attend = Callable[[Tensor, Tensor, Tensor], Tensor]

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

    def forward(self, x: Tensor, attend: Attend, rope: RotaryTable | None = None) -> Tensor:
        """
        Attend tokens x (B, N, C); `attend` says to what.

        It is given queries, keys and values (B, H, N, D), keys after k_norm and RoPE, so that
        what it keeps of them never has to be computed again.
        """
        queries, keys, values = self._queries_keys_values(x, rope)
        attended = attend(queries, keys, values)
        return self.proj(attended.transpose(1, 2).flatten(2).to(x.dtype))

    def _queries_keys_values(self, x: Tensor, rope: RotaryTable | None) -> tuple[Tensor, ...]:
        """Return each (B, H, N, D): on CUDA by one kernel, elsewhere step by step."""
        dtype = self.dtype or x.dtype
        projected = self.qkv(x)
        if rope is not None and self._can_fuse(projected):
            from xstreamvggt_ros.ops.norm_rotate import norm_and_rotate

            with torch.cuda.device(x.device):
                return norm_and_rotate(
                    projected, self.q_norm, self.k_norm, rope.cos, rope.sin, self.num_heads, dtype
                ).unbind()
        queries, keys, values = projected.unflatten(-1, (3, self.num_heads, -1)).permute(
            2, 0, 3, 1, 4
        )
        queries, keys = self.q_norm(queries), self.k_norm(keys)
        if rope is not None:
            queries, keys = rope.rotate(queries), rope.rotate(keys)
        return queries.to(dtype), keys.to(dtype), values.to(dtype)

    def _can_fuse(self, projected: Tensor) -> bool:
        dim = projected.shape[-1] // 3 // self.num_heads
        return (
            projected.is_cuda
            and not torch.is_grad_enabled()
            and isinstance(self.q_norm, nn.LayerNorm)
            and dim & (dim - 1) == 0
            and has_triton()
        )


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
