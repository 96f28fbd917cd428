# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores by the attention that held tokens receive from the new frame."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from xstreamvggt_ros.cache.layout import AttentionShape, FrameLayout
from xstreamvggt_ros.cache.policies.base import (
    EvictionContext,
    mean_rank,
    Policy,
    probe_count,
    probe_queries,
    scores_bytes,
    VALUE_SIZE,
)
from xstreamvggt_ros.ops.dispatch import fused


def attention_mass(queries: Tensor, keys: Tensor, held: int) -> Tensor:
    """
    Return the mean softmax mass (held, H) that queries (H, M, D) put on the first of the keys.

    keys (T, H, D) are all that the queries attend to, the new frame's own among them. On a CPU one
    head at a time, so that no more than (M, T) numbers are held at once.
    """
    scale = 1 / math.sqrt(queries.shape[-1])
    if fused(keys):
        scores = torch.bmm(queries * scale, keys.permute(1, 2, 0))
        return scores.softmax(dim=-1, dtype=torch.float32).mean(dim=1).t()[:held]
    masses = [
        torch.softmax((query * scale) @ keys[:, head].t(), dim=-1, dtype=torch.float32).mean(
            dim=0
        )[:held]
        for head, query in enumerate(queries)
    ]
    return torch.stack(masses, dim=1)


class AttentionValue(Policy):
    """
    Score by attention received times the value's size.

    s_j = mean_h [ mean_i softmax_j(q_hi . k_h / sqrt(D)) * ||v_hj||_1 ] over the probe queries i:
    what a token contributes to the new frame's attention outputs. (The value norm as in
    VATP, arXiv 2406.12335.) The norm is noted when a token is stored.
    """

    notes = (VALUE_SIZE,)

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        queries, keys, size = context.queries, context.keys, context.state[VALUE_SIZE]
        if fused(keys):
            from xstreamvggt_ros.ops.scores import mass_scores, Probes

            pooling = Probes(context.frame.special_tokens, self.pool_size)
            if pooling.fits(*queries.shape[1:]):
                return mass_scores(queries, keys, size, pooling)
        probes = probe_queries(queries, context.frame, self.pool_size)
        return (attention_mass(probes, keys, context.held) * size).mean(dim=1)

    def scoring_bytes(
        self, attended: int, frame: FrameLayout, shape: AttentionShape, together: bool
    ) -> int:
        """Bound what one head's probes take, or all heads' where no kernel takes them."""
        probes = probe_count(frame, self.pool_size)
        if together:
            from xstreamvggt_ros.ops.scores import Probes

            pooling = Probes(frame.special_tokens, self.pool_size)
            if pooling.fits(frame.tokens, shape.head_dim):
                return scores_bytes(attended, probes)
        return scores_bytes(attended, probes * shape.heads_at_once(together))


class SnapKv(Policy):
    """
    Score by attention received from all of the new frame's queries, smoothed over the image.

    s_hj = mean_i softmax_j(q_hi . k_h / sqrt(D)) over all queries i; averaged over the 3 x 3
    patches around it that are still held of the same frame; then ranks averaged over heads.
    (SnapKV, arXiv 2404.14469, its pooling made two-dimensional.)
    """

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        mass = attention_mass(context.queries, context.keys, context.held)
        return mean_rank(pool_over_grid(mass, context))

    def scoring_bytes(
        self, attended: int, frame: FrameLayout, shape: AttentionShape, together: bool
    ) -> int:
        """Bound what the queries take, of one head or of all at once."""
        return scores_bytes(attended, frame.tokens * shape.heads_at_once(together))


def pool_over_grid(scores: Tensor, context: EvictionContext) -> Tensor:
    """
    Average scores (T, H) over each token's held neighbours in its own frame, itself included.

    Special tokens have no place in the grid and keep their score.
    """
    layout = context.frame
    patch = context.grids.long() - layout.special_tokens
    row, column = patch.div(layout.columns, rounding_mode='floor'), patch % layout.columns
    # A rim of one cell keeps neighbours across the image's border, and frames, apart.
    stride = layout.columns + 2
    frame = context.frames.long() * ((layout.rows + 2) * stride)
    cell = frame + (row + 1) * stride + column + 1
    # Special tokens get numbers of their own, too far apart to be anyone's neighbours.
    cell = torch.where(patch < 0, -3 * stride * (frame - patch), cell)
    cells, order = cell.sort()
    ordered = scores[order]
    total, count = torch.zeros_like(scores), torch.zeros_like(scores[:, :1])
    for offset in (down * stride + right for down in (-1, 0, 1) for right in (-1, 0, 1)):
        place = torch.searchsorted(cells, cell + offset).clamp_max(len(cells) - 1)
        found = (cells[place] == cell + offset)[:, None]
        total += torch.where(found, ordered[place], 0)
        count += found
    return total / count
