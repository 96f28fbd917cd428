# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the camera head's trunk remembers: few tokens, never quantised."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import copy

import torch
from torch import Tensor

from xstreamvggt_ros.cache.attention import sdpa
from xstreamvggt_ros.cache.budget import SlotPlan
from xstreamvggt_ros.cache.cache_config import CacheConfig
from xstreamvggt_ros.cache.codecs import PlainCodec
from xstreamvggt_ros.cache.layer_cache import LayerCache
from xstreamvggt_ros.cache.layout import FrameLayout, StreamLayout
from xstreamvggt_ros.cache.policies import Policy, QueryKey, SinkRecent
from xstreamvggt_ros.cache.scratch import Scratch


class CameraCache:
    """
    The lists of a camera head that runs several iterations a frame, one token each.

    Published behaviour ('shared') is one list per trunk block, to which every iteration appends
    and all of which it attends to; 'per_iteration' keeps a list for each iteration, as training
    does. Under a strict budget whole frames are kept: the first and the newest F - 1. Otherwise
    each list is pruned after every iteration by the paper's rule.
    """

    def __init__(self, config: CacheConfig, layout: StreamLayout, device: torch.device) -> None:
        """Allocate the lists for streams of that layout."""
        self._iterations = layout.camera_iterations
        self._blocks = layout.camera_blocks.blocks
        self._shared = config.camera_cache == 'shared'
        # Under a strict budget a frame enters a shared list whole, so that it leaves it whole.
        strict = config.bounded and config.strict_budget
        self._arriving = self._iterations if strict and self._shared else 1
        # How often a frame enters each list.
        self.turns = self._iterations // self._arriving if self._shared else 1
        frame = FrameLayout(self._arriving, 0, 0)
        plan, policy = _plan(config, frame)
        count = self._blocks if self._shared else self._blocks * self._iterations
        shape = layout.camera_blocks
        self.lists = [
            LayerCache(
                plan,
                frame,
                PlainCodec(shape.heads, shape.head_dim, layout.camera_dtype),
                PlainCodec(shape.heads, shape.head_dim, layout.camera_dtype),
                policy,
                policy.row_specs(shape.head_dim, layout.camera_dtype),
                device,
            )
            for _ in range(count)
        ]
        self.scratch = Scratch(shape, layout.camera_dtype, device)
        self._reserve()
        self._admits = True
        # As in LayerCache.admit.
        self.clock: Tensor | None = None
        # Queries, keys and values of the frame at hand that no list has taken in yet.
        self._pending: list[list[tuple[Tensor, Tensor, Tensor]]] = [[] for _ in self.lists]

    @contextmanager
    def frame(self, keep: bool) -> Iterator[None]:
        """
        Attend to one frame within; with keep=False the lists are afterwards as they were.

        Where lists take in every iteration by itself, the later ones must find them pruned as in
        a frame that is kept; copies of the lists serve for that.
        """
        self._admits = keep or self._arriving == 1
        lists = self.lists
        if self._admits and not keep:
            self.lists = copy.deepcopy(lists)
        try:
            yield
        finally:
            self.lists = lists
            for pending in self._pending:
                pending.clear()

    def attend(
        self,
        frame: int,
        iteration: int,
        block: int,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
    ) -> Tensor:
        """Attend an iteration's token (H, 1, D) to its list and itself, and take it in."""
        index = block if self._shared else iteration * self._blocks + block
        cache, pending = self.lists[index], self._pending[index]
        pending.append((queries, keys, values))
        now = [torch.cat(parts, dim=1) for parts in zip(*pending, strict=True)]
        self._reserve()
        all_keys, all_values = self.scratch.gather(cache, now[1], now[2])
        attended = sdpa(queries, all_keys, all_values)
        if self._admits and len(pending) == self._arriving:
            # Each turn counts as a frame of its own.
            turn = iteration % self.turns
            clock = None if self.clock is None else self.turns * self.clock + turn
            cache.admit(now[0], all_keys, all_values, self.turns * frame + turn, clock)
            pending.clear()
        return attended

    def _reserve(self) -> None:
        self.scratch.reserve(max(cache.capacity for cache in self.lists) + self._iterations)


def _plan(config: CacheConfig, frame: FrameLayout) -> tuple[SlotPlan, Policy]:
    if not config.bounded:
        return SlotPlan(None, None, frame.tokens, grows=True), SinkRecent()
    if config.strict_budget:
        tokens = config.camera_budget_frames * frame.tokens
        return SlotPlan(tokens, tokens, frame.tokens), SinkRecent()
    tokens = config.budget_tokens or config.budget_frames
    # A published budget is meant for global blocks; few of these lists ever fill it.
    plan = SlotPlan(tokens, max(tokens, 2), frame.tokens, grows=True)
    return plan, QueryKey(config.pool_size)
