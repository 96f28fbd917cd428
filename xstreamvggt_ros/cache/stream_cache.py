# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that one stream remembers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from xstreamvggt_ros.cache.attention_choice import AttentionChoice, GROWN_FRAMES, Shape
from xstreamvggt_ros.cache.budget import plan_slots, SlotPlan
from xstreamvggt_ros.cache.cache_config import CacheConfig
from xstreamvggt_ros.cache.camera_cache import CameraCache
from xstreamvggt_ros.cache.camera_ring import CameraRing
from xstreamvggt_ros.cache.codecs import key_codec, value_codec
from xstreamvggt_ros.cache.layer_cache import LayerCache
from xstreamvggt_ros.cache.layout import StreamLayout
from xstreamvggt_ros.cache.policies import POLICIES
from xstreamvggt_ros.cache.rows import check_names, entry, part, total_bytes
from xstreamvggt_ros.cache.scratch import Scratch
from xstreamvggt_ros.cache.stats import CacheStats, LayerStats
from xstreamvggt_ros.ops.dispatch import fused

# A hundred days at thirty a second. Slots count frames in 32 bits, and the camera head's lists
# four to a frame.
MOST_FRAMES = 1 << 28


class StreamCache:
    """
    The memory that a network attends to, frame after frame (kept to a budget).

    Within `frame`, each global block calls `attend_global` once and each trunk block of the
    camera head `attend_camera` once per iteration: attention first, over all that is held and the
    new tokens in full precision; then, where the frame is kept, eviction and storage.
    """

    def __init__(
        self,
        config: CacheConfig,
        layout: StreamLayout,
        device: torch.device,
        attention: AttentionChoice | None = None,
    ) -> None:
        """
        Allocate for streams of that layout; `attention` says by which kernel to attend.

        Raises BudgetTooSmall, naming what would do, and ValueError where the kernel cannot run.
        """
        self.config = config
        self.layout = layout

        def cache_bytes(tokens: int) -> int:
            return _bytes_with(config, layout, tokens)

        self.plan = plan_slots(config, layout.frame, cache_bytes)
        self._attention = attention or AttentionChoice()
        self._attend = self._attention.kernel(device, layout.dtype, *_attended(layout, self.plan))
        self.layers = _layers(config, layout, self.plan, device)
        self.camera = _camera(config, layout, device)
        self.scratch = Scratch(layout.global_blocks, layout.dtype, device)
        self.steps = 0
        self._keep = True
        # The frame's index on the device, which the package's kernels read.
        self._clock = torch.zeros((), dtype=torch.int64, device=device)
        self._captures = False

    @contextmanager
    def frame(self, keep: bool = True) -> Iterator[None]:
        """
        Attend to one frame within; with keep=False it leaves no trace.

        A frame that fails half way is remembered by the layers that it had reached, as any other
        frame; the stream goes on.
        """
        self._keep = keep
        if not self._captures and fused(self._clock):
            self._clock.fill_(self.steps)
        try:
            with self._attention.preferred(), self.camera.frame(self.steps, keep):
                yield
        finally:
            self.steps += int(keep)

    @property
    def full(self) -> bool:
        """Whether each further frame does just what the one before did, but for its numbers."""
        return self.camera.full and all(cache.full for cache in self.layers)

    @property
    def waits(self) -> bool:
        """Whether every frame has the host wait for the device, so that none can be captured."""
        return any(cache.waits for cache in self.layers)

    @property
    def captures_unkept(self) -> bool:
        """Whether a frame with keep=False can be captured, too."""
        return self.camera.fixed

    @contextmanager
    def clocked(self, clock: Tensor) -> Iterator[list[int]]:
        """
        Read the frame's index from a scalar on the device within, for a step that is captured.

        Gives the evictions from each layer that the frame within brings, filled in at the end; the
        lists themselves are told of no frame, since nothing has been run yet.
        """
        before = [(cache.arrivals, cache.evictions) for cache in self.layers]
        camera, steps, own = self.camera.counters(), self.steps, self._clock
        self._clock, self._captures, self.camera.clock = clock, True, clock
        evicted: list[int] = []
        try:
            yield evicted
        finally:
            self._clock, self._captures, self.camera.clock = own, False, None
            self.steps = steps
            self.camera.restore(camera)
            for cache, (arrivals, evictions) in zip(self.layers, before, strict=True):
                evicted.append(cache.evictions - evictions)
                cache.arrivals, cache.evictions = arrivals, evictions

    def count(self, evicted: list[int]) -> None:
        """Take note of a captured step that was run, by what `clocked` gave."""
        self.camera.count(self.steps)
        self.steps += 1
        for cache, evictions in zip(self.layers, evicted, strict=True):
            cache.evictions += evictions
            # Not by how many there were in the captured step: a frame before it may have failed.
            cache.arrivals = self.steps

    def clear(self) -> None:
        """Begin a new stream in the same memory."""
        for cache in self.layers:
            cache.clear()
        self.camera.clear()
        self.steps = 0

    def global_room(self, layer: int, tokens: int) -> tuple[Tensor, Tensor] | None:
        """Say where a block's keys and values (N, H, D) are wanted: behind those of its slots."""
        cache = self.layers[layer]
        self.scratch.reserve(cache.capacity + tokens)
        return self.scratch.room(cache.held, tokens)

    def attend_global(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend a frame's tokens (1, H, N, D) to what the layer holds and to each other."""
        cache = self.layers[layer]
        queries, keys, values = queries[0], keys[0], values[0]
        self.scratch.reserve(cache.capacity + keys.shape[1])
        all_keys, all_values = self.scratch.gather(cache, keys, values)
        attended = self._attend(queries, all_keys, all_values)
        if self._keep:
            clock = self._clock if self._captures or fused(all_keys) else None
            cache.admit(queries, all_keys, all_values, self.steps, clock)
        return attended[None]

    def attend_camera(
        self, iteration: int, block: int, queries: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        """Attend an iteration's camera token (1, H, 1, D) to its list and itself."""
        token = queries[0], keys[0], values[0]
        return self.camera.attend(self.steps, iteration, block, *token)[None]

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of everything that the next frame depends on, by name."""
        state = {'steps': torch.tensor(self.steps)}
        for prefix, each in self._parts():
            state |= {f'{prefix}.{name}': value for name, value in each.state_dict().items()}
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """
        Take over what state_dict returned for the same configuration and layout.

        Raises ValueError, naming the entry, where it is of another.
        """
        steps = int(entry(state, 'steps', ()))
        for prefix, each in self._parts():
            with _naming(prefix):
                each.load_state_dict(part(state, f'{prefix}.'))
        arrived = max(self.camera.arrived, *(cache.arrivals for cache in self.layers))
        if not arrived <= steps <= MOST_FRAMES or bool(steps) != bool(self.layers[0].held):
            raise ValueError(f'the saved stream contradicts itself: its steps are {steps}')
        self.steps = steps

    def fit(self, state: Mapping[str, Tensor]) -> None:
        """
        Grow to what state_dict returned; on the meta device nothing is allocated for that.

        Raises ValueError where names, shapes, types or counters are of another configuration or
        layout, before any of the numbers is looked at.
        """
        known = tuple(f'{prefix}.' for prefix, _ in self._parts())
        check_names((name for name in state if not name.startswith(known)), ('steps',))
        for prefix, each in self._parts():
            with _naming(prefix):
                each.fit(part(state, f'{prefix}.'))

    def _parts(self) -> Iterator[tuple[str, LayerCache | CameraCache | CameraRing]]:
        for index, cache in enumerate(self.layers):
            yield f'layers.{index}', cache
        yield 'camera', self.camera

    def scratch_tensors(self) -> list[Tensor]:
        """Return what is overwritten in every step."""
        return [*self.scratch.tensors(), *self.camera.scratch_tensors(), self._clock]

    def stats(self) -> CacheStats:
        """Return what is held, read off the tensors."""
        layers = tuple(_layer_stats(cache) for cache in self.layers)
        camera_bytes = total_bytes(self.camera.tensors())
        return CacheStats(
            layers=layers,
            tokens=sum(layer.tokens for layer in layers),
            evictions=sum(layer.evictions for layer in layers),
            bytes=sum(layer.bytes for layer in layers) + camera_bytes,
            camera_bytes=camera_bytes,
            scratch_bytes=total_bytes(self.scratch_tensors()),
            steps=self.steps,
        )


@contextmanager
def _naming(prefix: str) -> Iterator[None]:
    """Say of what part of a saved stream an error within is."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f'{prefix} of the saved stream does not fit: {error}') from error


def _camera(
    config: CacheConfig, layout: StreamLayout, device: torch.device
) -> CameraCache | CameraRing:
    kind = CameraRing if config.bounded and config.strict_budget else CameraCache
    return kind(config, layout, device)


def _layers(
    config: CacheConfig, layout: StreamLayout, plan: SlotPlan, device: torch.device
) -> list[LayerCache]:
    shape, frame = layout.global_blocks, layout.frame
    policy = POLICIES[config.policy](config.pool_size, config.seed)
    # A policy's notes only rank tokens: half precision will do where keys are rounded anyway.
    state_dtype = layout.dtype if config.bits == 16 else torch.float16
    return [
        LayerCache(
            plan,
            frame,
            key_codec(config, shape.heads, shape.head_dim, layout.dtype, frame.tokens),
            value_codec(config, shape.heads, shape.head_dim, layout.dtype),
            policy,
            policy.row_specs(shape.heads, shape.head_dim, state_dtype),
            device,
            index,
            shape.blocks,
        )
        for index in range(shape.blocks)
    ]


def _attended(layout: StreamLayout, plan: SlotPlan) -> tuple[Shape, Shape]:
    """Give the shapes of attention to the cache and of a frame to itself."""
    heads, tokens = layout.global_blocks, layout.frame.tokens
    held = GROWN_FRAMES * tokens if plan.capacity is None else plan.capacity
    return tuple(
        Shape(heads.heads, heads.head_dim, tokens, attended)
        for attended in (held + tokens, tokens)
    )


def _bytes_with(config: CacheConfig, layout: StreamLayout, tokens: int) -> int:
    """Return the bytes of a cache with that many slots a layer, without allocating it."""
    meta = torch.device('meta')
    layers = _layers(config, layout, SlotPlan(tokens, tokens, 0), meta)
    camera = total_bytes(_camera(config, layout, meta).tensors())
    return camera + sum(total_bytes(cache.tensors().values()) for cache in layers)


def _layer_stats(cache: LayerCache) -> LayerStats:
    frame = cache.slots['frame']
    held = frame[frame >= 0].unique()
    later = held[held > 0]
    return LayerStats(
        tokens=int((frame >= 0).sum()),
        budget=cache.plan.budget,
        bytes=total_bytes(cache.tensors().values()),
        policy_bytes=total_bytes(cache.state.tensors.values()),
        evictions=cache.evictions,
        frames=len(held),
        oldest_age=cache.arrivals - 1 - int(later.min()) if len(later) else 0,
    )
