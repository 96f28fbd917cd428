# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores by how much held tokens repeat each other."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from xstreamvggt_ros.cache.policies.base import EvictionContext, mean_rank, Policy
from xstreamvggt_ros.cache.slots import keep_order


class KeyDiversity(Policy):
    """
    Keep keys that point away from the mean key (InfiniteVGGT, arXiv 2601.02281).

    s_hj = -cos(k_hj, mean_j k_hj) over held and new tokens; ranks averaged over heads.
    """

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        scores = []
        # A head at a time: the keys of all heads in fp32 would be a copy of the layer.
        for keys in context.keys.unbind(1):
            keys = keys.float()
            mean = keys.mean(dim=0, keepdim=True)
            scores.append(-cosine_similarity(keys[: context.held], mean, dim=-1))
        return mean_rank(torch.stack(scores, dim=1))


class TarVan(Policy):
    """
    InfiniPot-V (arXiv 2506.15745): half by temporal redundancy, the rest by value norm.

    TaR: s_hj = -cos(k_hj, k_h of the same grid index in the new frame), ranks averaged over
    heads; special tokens are kept. Of the tokens that stay, the fraction alpha is chosen so; the
    others by VaN: s_hj = ||v_hj||_2, ranks averaged over heads.
    """

    alpha = 0.5

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""
        held = context.held
        novelty = mean_rank(self._novelty(context))
        novelty = novelty.masked_fill(context.grids < context.frame.special_tokens, held)
        sizes = [values[:held].float().norm(dim=-1) for values in context.values.unbind(1)]
        norm = mean_rank(torch.stack(sizes, dim=1))
        order = keep_order(novelty, context.frames, context.grids, context.newest)
        chosen = order.topk(round(self.alpha * context.kept)).indices
        # Ranks lie below held, so that whatever TaR chose stands above the others.
        return norm.index_add(0, chosen, torch.full_like(norm[chosen], held))

    def _novelty(self, context: EvictionContext) -> Tensor:
        """Return (T, H), the higher the less a key is like the new one at its place."""
        held, place = context.held, context.grids.long()
        likeness = [
            cosine_similarity(keys[:held].float(), keys[held:].float()[place], dim=-1)
            for keys in context.keys.unbind(1)
        ]
        return -torch.stack(likeness, dim=1)


class FrameDiversity(Policy):
    """
    Keep whole frames that differ, farthest first.

    From the first frame and the new one on, the frame whose mean key (H, D) is farthest from
    those chosen is chosen next; a token is worth what its frame is. (Gonzalez's farthest-first
    traversal, 1985.)
    """

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token, the same for all tokens of a frame."""
        frames, member = context.frames.unique(return_inverse=True)
        count = member.bincount()[:, None]
        means, new = [], []
        for keys in context.keys.unbind(1):
            keys = keys.float()
            sums = keys.new_zeros(len(frames), keys.shape[1])
            means.append(sums.index_add_(0, member, keys[: context.held]) / count)
            new.append(keys[context.held :].mean(dim=0, keepdim=True))
        points = torch.cat(means, dim=1)
        return _farthest_first(points, torch.cat([points[:1], torch.cat(new, dim=1)]))[member]


def _farthest_first(points: Tensor, chosen: Tensor) -> Tensor:
    """Return a score (F,) of points (F, C), the higher the earlier each is chosen."""
    distance = torch.cdist(points, chosen).amin(dim=1)
    score = torch.zeros(len(points), device=points.device)
    for remaining in range(len(points), 0, -1):
        farthest = distance.argmax()
        score[farthest] = remaining
        distance = torch.minimum(distance, torch.cdist(points, points[farthest][None])[:, 0])
        # Chosen ones are never farthest again.
        distance[farthest] = -1
    return score
