# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores by how much held tokens repeat each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from xstreamvggt_ros.cache.layout import AttentionShape, FrameLayout
from xstreamvggt_ros.cache.policies.base import (
    EvictionContext,
    mean_rank,
    Policy,
    scores_bytes,
)
from xstreamvggt_ros.cache.slots import keep_ranks
from xstreamvggt_ros.ops.dispatch import fused

if TYPE_CHECKING:
    from xstreamvggt_ros.ops.frame_scores import FrameDistances

# Frames of which only a part is held, beyond those that whole ones leave room for.
_PARTIAL_FRAMES = 4
# Distances below all others: of places without a frame, and below those of chosen frames.
_ABSENT, _TAKEN = -1.0, -2.0
_EXACT = 'donot_use_mm_for_euclid_dist'


def by_head(score: Callable[[Tensor], Tensor], tokens: Tensor) -> Tensor:
    """
    Return (T, H) of tokens (T, H, D), scored by their last dimension.

    On a CPU a head at a time: the keys of all heads in fp32 would be a copy of the layer.
    """
    if fused(tokens):
        return score(tokens)
    return torch.stack([score(each) for each in tokens.unbind(1)], dim=1)


class _ByHead(Policy):
    """What is scored head by head, or of all heads at once."""

    def scoring_bytes(
        self, attended: int, frame: FrameLayout, shape: AttentionShape, together: bool
    ) -> int:
        """Bound what a head's keys take, or those of all heads at once."""
        one = super().scoring_bytes(attended, frame, shape, together)
        return one * shape.heads_at_once(together)


class KeyDiversity(_ByHead):
    """
    Keep keys that point away from the mean key (InfiniteVGGT, arXiv 2601.02281).

    s_hj = -cos(k_hj, mean_j k_hj) over held and new tokens; ranks averaged over heads.
    """

    def score(self, context: EvictionContext) -> Tensor:
        """Return a score (T,) per held token."""

        def score(keys: Tensor) -> Tensor:
            keys = keys.float()
            mean = keys.mean(dim=0, keepdim=True)
            return -cosine_similarity(keys[: context.held], mean, dim=-1)

        return mean_rank(by_head(score, context.keys))


class TarVan(_ByHead):
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
        norm = mean_rank(
            by_head(lambda values: values[:held].float().norm(dim=-1), context.values)
        )
        rank = keep_ranks(novelty, context.frames, context.grids, context.newest)
        # Ranks lie below held, so that whatever TaR chose stands above the others.
        return torch.where(rank >= held - round(self.alpha * context.kept), norm + held, norm)

    def _novelty(self, context: EvictionContext) -> Tensor:
        """Return (T, H), the higher the less a key is like the new one at its place."""
        held, place = context.held, context.grids.long()

        def likeness(keys: Tensor) -> Tensor:
            return cosine_similarity(keys[:held].float(), keys[held:].float()[place], dim=-1)

        return -by_head(likeness, context.keys)


class FrameDiversity(Policy):
    """
    Keep whole frames that differ, farthest first.

    From the first frame and the new one on, the frame whose mean key (H, D) is farthest from
    those chosen is chosen next; a token is worth what its frame is. (Gonzalez's farthest-first
    traversal, 1985.)
    """

    def score(self, context: EvictionContext) -> Tensor:
        """
        Return a score (T,) per held token, the same for all tokens of a frame.

        Nothing here waits for the device: frames are told apart within a number that is known
        beforehand, and newer frames beyond it count as one.
        """
        apart = self.distances(context)
        if apart is not None:
            from xstreamvggt_ros.ops.frame_scores import farthest_first_scores

            return farthest_first_scores(apart, context.frames)
        held, keys, bound = context.held, context.keys.transpose(0, 1), _bound(context)
        member = _ranks(context.frames).clamp_max(bound - 1)
        # The new frame's place is behind them.
        owner = torch.cat([member, member.new_full([keys.shape[1] - held], bound)])
        belongs = (owner == torch.arange(bound + 1, device=owner.device)[:, None]).float()
        count = belongs.sum(dim=1)
        means = _means_from_first(keys, belongs, count)
        distances = torch.cdist(means, means, compute_mode=_EXACT)
        return self._worth(distances, count[:-1] > 0)[member]

    def _worth(self, distances: Tensor, present: Tensor) -> Tensor:
        """Return the score (F,) of each frame, by one kernel where there are not too many."""
        if fused(distances):
            from xstreamvggt_ros.ops.frame_scores import frame_worth, MOST_CHOSEN

            if len(distances) <= MOST_CHOSEN:
                return frame_worth(distances, present)
        return _farthest_first(distances, present)

    def scoring_bytes(
        self, attended: int, frame: FrameLayout, shape: AttentionShape, together: bool
    ) -> int:
        """Bound what it takes to tell which token is of which frame, where no kernel does."""
        one = super().scoring_bytes(attended, frame, shape, together)
        bound = _most_apart(attended - frame.tokens, frame)
        if together:
            from xstreamvggt_ros.ops.frame_scores import fits

            if fits(bound):
                return one
        return max(one, scores_bytes(attended, 1 + bound))

    def distances(self, context: EvictionContext) -> FrameDistances | None:
        """Return how far frames are apart, where kernels take it; None where torch's steps do."""
        if not fused(context.keys):
            return None
        from xstreamvggt_ros.ops.frame_scores import fits, frame_distances

        bound = _bound(context)
        return frame_distances(context.keys, context.frames, bound) if fits(bound) else None


def _bound(context: EvictionContext) -> int:
    """Return within how many frames those of held tokens are told apart."""
    return _most_apart(context.held, context.frame)


def _most_apart(held: int, frame: FrameLayout) -> int:
    return 2 * -(-held // frame.tokens) + _PARTIAL_FRAMES


def _means_from_first(keys: Tensor, belongs: Tensor, count: Tensor) -> Tensor:
    """
    Return the mean keys (F, H * D), fp32, of frames, as seen from the first key.

    belongs (F, T) is 1 where a key of keys (H, T, D) is of a frame, count (F,) their number. The
    product is in the keys' own type, for in fp32 all of them would be copied first. So the first
    key, with what is common to all, is subtracted inside of it: bf16 rounds differences only.
    """
    exact = belongs[:, 0] - count
    weights = torch.cat([exact[:, None], belongs[:, 1:]], dim=1).to(keys.dtype)
    sums = (weights @ keys).float()
    # Of a large count, bf16 drops a little.
    dropped = (exact - weights[:, 0].float())[:, None]
    sums = sums + dropped * keys[:, :1].float()
    return sums.transpose(0, 1).flatten(1) / count.clamp_min(1)[:, None]


def _ranks(frames: Tensor) -> Tensor:
    """Return the numbers (T,) of the different frames, oldest first, from 0 on."""
    ordered, places = frames.sort()
    steps = torch.cat([torch.zeros_like(places[:1]), (ordered.diff() != 0).long()])
    return torch.empty_like(places).scatter_(0, places, steps.cumsum(0))


def _farthest_first(distances: Tensor, present: Tensor) -> Tensor:
    """
    Return a score (F,) of present frames, the higher the earlier each is chosen.

    distances (F + 1, F + 1) are between all of them and, last, the new one, from which and the
    first the choice begins.
    """
    between = distances[:-1, :-1]
    distance = torch.minimum(between[0], distances[-1, :-1])
    distance = distance.masked_fill(~present, _ABSENT)
    worth = present.sum(dtype=torch.float32)
    score = torch.zeros_like(distance)
    for _ in range(len(between)):
        farthest = distance.argmax(dim=0, keepdim=True)
        score.index_copy_(0, farthest, worth[None])
        nearer = torch.minimum(distance, between.index_select(0, farthest)[0])
        # Places without a frame and chosen ones are never farthest before the others.
        distance = torch.where(distance < 0, distance, nearer)
        distance.index_fill_(0, farthest, _TAKEN)
        worth = worth - 1
    return score
