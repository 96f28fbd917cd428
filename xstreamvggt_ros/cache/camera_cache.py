# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the camera head's trunk remembers without a strict budget: few tokens, never quantised."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from xstreamvggt_ros.cache.rows import check_names, part
from xstreamvggt_ros.cache.scratch import Scratch


class CameraCache:
    """
    The lists of a camera head that runs several iterations a frame, one token each.

    Published behaviour ('shared') is one list per trunk block, to which every iteration appends
    and all of which it attends to; 'per_iteration' keeps a list for each iteration, as training
    does. Without a budget lists grow; with one that is not strict each is pruned after every
    iteration by the paper's rule. A strict budget has a `CameraRing` instead.
    """

    # Lists grow, and with keep=False they are copied.
    fixed = False

    def __init__(self, config: CacheConfig, layout: StreamLayout, device: torch.device) -> None:
        """Allocate the lists for streams of that layout."""
        self._blocks = layout.camera_blocks.blocks
        self._shared = config.camera_cache == 'shared'
        # How often a frame enters each list.
        self._turns = layout.camera_iterations if self._shared else 1
        frame = FrameLayout(1, 0, 0)
        plan, policy = _plan(config, frame)
        shape = layout.camera_blocks
        self.lists = [
            LayerCache(
                plan,
                frame,
                PlainCodec(shape.heads, shape.head_dim, layout.camera_dtype),
                PlainCodec(shape.heads, shape.head_dim, layout.camera_dtype),
                policy,
                policy.row_specs(shape.heads, shape.head_dim, layout.camera_dtype),
                device,
            )
            for _ in range(self._blocks * (layout.camera_iterations // self._turns))
        ]
        self._scratch = Scratch(shape, layout.camera_dtype, device)
        self._reserve()
        # Where given, the frame's index on the device: one captured step then serves all frames.
        self.clock: Tensor | None = None

    @contextmanager
    def frame(self, index: int, keep: bool) -> Iterator[None]:
        """
        Attend to the frame of that index within; with keep=False the lists stay as they were.

        The later iterations must find them pruned as in a frame that is kept; copies of the lists
        serve for that.
        """
        lists = self.lists
        if not keep:
            self.lists = copy.deepcopy(lists)
        try:
            yield
        finally:
            self.lists = lists

    def count(self, index: int) -> None:
        """Take note that the frame of that index came in, by a step that was captured."""
        for cache in self.lists:
            # All lists are full, so that each token evicted another.
            cache.evictions += self._turns
            cache.arrivals = self._turns * (index + 1)

    def attend(
        self, frame: int, iteration: int, block: int, queries: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        """Attend an iteration's token (H, 1, D) to its list and itself, and take it in."""
        cache = self.lists[block if self._shared else iteration * self._blocks + block]
        self._reserve()
        all_keys, all_values = self._scratch.gather(cache, keys, values)
        attended = sdpa(queries, all_keys, all_values)
        # Each turn counts as a frame of its own.
        turn = iteration % self._turns
        clock = None if self.clock is None else self._turns * self.clock + turn
        cache.admit(queries, all_keys, all_values, self._turns * frame + turn, clock)
        return attended

    @property
    def full(self) -> bool:
        """Whether each further frame does just what the one before did, but for its numbers."""
        return all(cache.full for cache in self.lists)

    @property
    def held(self) -> int:
        """Tokens that each list holds."""
        return self.lists[0].held

    @property
    def arrived(self) -> int:
        """How many frames came in, at least."""
        return max(-(-cache.arrivals // self._turns) for cache in self.lists)

    def counters(self) -> list[tuple[int, int]]:
        """Return what the host knows, for `restore`."""
        return [(cache.arrivals, cache.evictions) for cache in self.lists]

    def restore(self, counters: list[tuple[int, int]]) -> None:
        """Take back what the host knows."""
        for cache, (arrivals, evictions) in zip(self.lists, counters, strict=True):
            cache.arrivals, cache.evictions = arrivals, evictions

    def tensors(self) -> list[Tensor]:
        """Return what persists between frames."""
        return [tensor for cache in self.lists for tensor in cache.tensors().values()]

    def scratch_tensors(self) -> list[Tensor]:
        """Return what is overwritten in every step."""
        return self._scratch.tensors()

    def clear(self) -> None:
        """Hold nothing, in the same memory."""
        for cache in self.lists:
            cache.clear()

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of what the next frame depends on, by name."""
        return {
            f'{index}.{name}': value
            for index, cache in enumerate(self.lists)
            for name, value in cache.state_dict().items()
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over what state_dict returned; ValueError where it is of other lists."""
        for index, cache in enumerate(self.lists):
            cache.load_state_dict(part(state, f'{index}.'))

    def fit(self, state: Mapping[str, Tensor]) -> None:
        """Grow to what state_dict returned; ValueError where its shapes are of other lists."""
        known = tuple(f'{index}.' for index in range(len(self.lists)))
        check_names([name for name in state if not name.startswith(known)])
        for index, cache in enumerate(self.lists):
            cache.fit(part(state, f'{index}.'))

    def _reserve(self) -> None:
        self._scratch.reserve(max(cache.capacity for cache in self.lists) + 1)


def _plan(config: CacheConfig, frame: FrameLayout) -> tuple[SlotPlan, Policy]:
    if not config.bounded:
        return SlotPlan(None, None, frame.tokens, grows=True), SinkRecent()
    tokens = config.budget_tokens or config.budget_frames
    # A published budget is meant for global blocks; few of these lists ever fill it.
    plan = SlotPlan(tokens, max(tokens, 2), frame.tokens, grows=True)
    return plan, QueryKey(config.pool_size)
