# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a policy is told, and what it answers.

On CUDA a frame's time goes by launches, each of them 24 layers times. A policy costs few of them
when what its score needs of a token is noted as the token is stored (`Policy.notes`: the kernel
that stores a frame writes them in passing) and the score is a kernel or two over all heads, as in
`ops.scores`; the choice by score is one more, whatever the policy.

A policy that mixes others notes what they need, turns each score into ranks by `slots.keep_ranks`,
one launch each, and answers some function of the ranks; see `AttentionCoverage` and `TarVan`. The
first frame and the newest are the cache's to keep: ranks and scores are of held tokens only,
`EvictionContext.kept` of which will stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor

from xstreamvggt_ros.cache.layout import AttentionShape, FrameLayout
from xstreamvggt_ros.cache.rows import RowSpec

_COPIES, _FP32 = 3, 4
_HALF_MAX = torch.finfo(torch.float16).max


@dataclass(frozen=True)
class EvictionContext:
    """
    One layer at one frame: T held tokens and the N new ones that want room.

    queries: (H, N, D) of the new frame. keys, values: (T + N, H, D), the held tokens as stored,
    behind them the new ones. state: {name: (T, ...)}, what the policy noted of each held token.
    frames, grids: (T,), the frame and grid index of each held token. kept: how many of the held
    tokens will stay. newest: index of the new frame, a scalar on the device in a captured step.
    layer, layers: index of the layer, and how many there are. frame: the layout of a frame.
    """

    queries: Tensor
    keys: Tensor
    values: Tensor
    state: dict[str, Tensor]
    frames: Tensor
    grids: Tensor
    kept: int
    newest: int | Tensor
    layer: int
    layers: int
    frame: FrameLayout

    @property
    def held(self) -> int:
        """T, the number of held tokens."""
        return len(self.frames)


# What can be noted of a token: the mean of its key over the heads (D,), and the 1-norm of its
# value in each head (H,).
MEAN_KEY, VALUE_SIZE = 'mean_key', 'value_size'


class Policy:
    """
    Say how much each held token is worth, given the frame that wants room.

    A policy never protects tokens: the cache does, and ignores the scores of those it keeps.
    notes: what is noted of each token when it is stored, of MEAN_KEY and VALUE_SIZE.
    """

    notes: tuple[str, ...] = ()

    def __init__(self, pool_size: int = 16, seed: int = 0) -> None:
        """Take patches per probe query, and the seed of what is drawn by chance."""
        self.pool_size = pool_size
        self.seed = seed

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token; the lowest are evicted."""
        raise NotImplementedError

    def scoring_bytes(
        self, attended: int, frame: FrameLayout, shape: AttentionShape, together: bool
    ) -> int:
        """
        Bound the bytes that scoring takes at once where `attended` tokens are attended to.

        together: whether all heads are scored at once, where there are kernels by these, as on
        CUDA. By default the bytes of one head's keys, in fp32, and of what is made of them.
        """
        return scores_bytes(attended, shape.head_dim)

    def row_specs(self, heads: int, head_dim: int, dtype: torch.dtype) -> dict[str, RowSpec]:
        """Return what is noted of each token beside its key and value, in about that precision."""
        # Sizes are sums of many numbers, which bf16 has too few bits for.
        size = torch.float16 if dtype == torch.float16 else torch.float32
        specs = {
            MEAN_KEY: RowSpec((head_dim,), dtype),
            VALUE_SIZE: RowSpec((heads,), size),
        }
        return {name: specs[name] for name in self.notes}

    def rows(self, context: EvictionContext) -> dict[str, Tensor]:
        """Return {name: (N, ...)} to note of the new tokens; as row_specs says."""
        keys, values = context.keys[context.held :], context.values[context.held :]
        noting = {
            MEAN_KEY: lambda: keys.float().mean(dim=1),
            VALUE_SIZE: lambda: _sizes(values),
        }
        return {name: noting[name]() for name in self.notes}


def _sizes(values: Tensor) -> Tensor:
    """Return the 1-norms (N, H), fp32 and within fp16, of values (N, H, D)."""
    return values.abs().sum(dim=-1, dtype=torch.float32).clamp_(max=_HALF_MAX)


def scores_bytes(attended: int, columns: int) -> int:
    """Bound what that many columns of scores take, three of them in fp32 at once."""
    return _COPIES * _FP32 * attended * columns


def probe_count(frame: FrameLayout, pool_size: int) -> int:
    """Return M, how many queries `probe_queries` makes of a frame's."""
    return frame.special_tokens + ceil((frame.tokens - frame.special_tokens) / pool_size)


def probe_queries(queries: Tensor, frame: FrameLayout, pool_size: int) -> Tensor:
    """
    Pool a frame's queries (H, N, D) to few (H, M, D) (XStreamVGGT, arXiv 2601.01204).

    Special tokens' queries stay as they are; patches' are averaged over consecutive groups of
    pool_size, the remainder by itself.
    """
    special, patches = queries.tensor_split([frame.special_tokens], dim=1)
    whole = patches.shape[1] // pool_size * pool_size
    pooled = [special, patches[:, :whole].unflatten(1, (-1, pool_size)).mean(2)]
    if whole < patches.shape[1]:
        pooled.append(patches[:, whole:].mean(1, keepdim=True))
    return torch.cat(pooled, dim=1)


def mean_rank(scores: Tensor) -> Tensor:
    """
    Average the ranks of scores (T, H) over the heads, (T,).

    Slots are shared by all heads; ranks make heads whose scores differ in scale count alike.
    """
    columns = scores.t().contiguous()
    # The number of tokens that are strictly lower: equal scores have equal ranks.
    return torch.searchsorted(columns.sort(dim=1).values, columns).float().mean(dim=0)
