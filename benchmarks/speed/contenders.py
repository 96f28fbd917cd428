# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ways to run a stream that are compared, each put into the state that it has at frame n."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmarks.speed.naive import NaiveMemory
from xstreamvggt_ros.cache import CacheConfig, StreamCache
from xstreamvggt_ros.cache.camera_cache import CameraCache
from xstreamvggt_ros.cache.layer_cache import LayerCache
from xstreamvggt_ros.cache.rows import total_bytes
from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import stream_layout

# The paper's, which all but the last contender keep to.
BUDGET = CacheConfig.published().budget_tokens


@dataclass(frozen=True)
class Contender:
    """A network of some precision with a memory of some kind; config None is the naive one."""

    name: str
    model: StreamVGGT
    dtype: str
    config: CacheConfig | None

    def bytes_at(self, frames: int, height: int, width: int) -> int:
        """Reckon the bytes that the memory takes after so many frames, at the most of a step."""
        shape = self.model.config
        tokens = frames * shape.tokens_per_frame(height, width)
        if self.config is None:
            # The old cache, the concatenated one and the rounded one of a layer are small beside.
            tokens = min(tokens, BUDGET)
        elif self.config.bounded:
            return 0
        return 2 * tokens * shape.embed_dim * shape.depth * self.model.dtype.itemsize


def contenders(config: ModelConfig, model: StreamVGGT, narrow: Sequence[str]) -> list[Contender]:
    """Share the weights of an fp32 model (bf16 on CUDA); ours has its own of each narrow type."""
    wide = str(model.dtype).removeprefix('torch.')
    shipped = CacheConfig.recommended()
    ours = shipped.with_budget(budget_tokens=BUDGET)
    found = [
        Contender('unbounded', model, wide, CacheConfig()),
        Contender('naive', model, wide, None),
        Contender('ours', model, wide, ours),
    ]
    for dtype in narrow:
        if dtype != wide:
            other = narrowed(config, model, dtype)
            found.append(Contender(f'ours, {dtype}', other, dtype, ours))
    best = found[3] if len(found) > 3 else found[2]
    name = f'{best.name}, {shipped.budget_frames} frames'
    return [*found, Contender(name, best.model, best.dtype, shipped)]


def narrowed(config: ModelConfig, model: StreamVGGT, dtype: str) -> StreamVGGT:
    """Return a copy in another precision that shares what weights it can."""
    with torch.device('meta'):
        copy = StreamVGGT(config)
    copy.load_state_dict(model.state_dict(), assign=True)
    return copy.set_precision(getattr(torch, dtype)).eval().requires_grad_(False).pack()


class Memory:
    """
    A contender's memory at frame n, with a stop-watch around its attention.

    `timed` wraps a function so that its time counts under a name.
    """

    def __init__(
        self,
        contender: Contender,
        frames: int,
        size: tuple[int, int],
        timed: Callable[[str, Callable], Callable],
    ) -> None:
        """Fill it with random numbers as frames - 1 frames would have."""
        config = contender.model.config
        device = contender.model.aggregator.camera_token.device
        self._cache = None
        if contender.config is None:
            self._naive = NaiveMemory(BUDGET, config.special_tokens)
            self._naive.attend = timed('attention', self._naive.attend)
            layout = stream_layout(contender.model, *size)
            _fill_naive(self._naive, layout, frames - 1, device)
            attending = self._naive
        else:
            layout = stream_layout(contender.model, *size)
            self._cache = attending = StreamCache(contender.config, layout, device)
            self._cache._attend = timed('attention', self._cache._attend)
            fill(self._cache, frames - 1)
        self.attend_global = timed('memory', attending.attend_global)
        self.attend_camera = attending.attend_camera
        self.global_room = attending.global_room

    def advance(self, model: StreamVGGT, image: Tensor, point_head: bool) -> object:
        """Run one more frame (3, H, W)."""
        if self._cache is None:
            return model.advance(image[None, None], self, not self._naive.held, point_head)
        with self._cache.frame():
            return model.advance(image[None, None], self, self._cache.steps == 0, point_head)

    def bytes(self) -> tuple[int, int]:
        """Return the bytes held between frames, and of scratch that is kept with them."""
        if self._cache is None:
            return total_bytes(self._naive.tensors()), 0
        stats = self._cache.stats()
        return stats.bytes, stats.scratch_bytes


def fill(cache: StreamCache, frames: int) -> None:
    """Put a cache in the state after so many frames: as many are written as it can hold."""
    lists = list(cache.layers)
    if isinstance(cache.camera, CameraCache):
        lists += cache.camera.lists
    else:
        for tensor in cache.camera.tensors():
            if tensor.is_floating_point():
                tensor.normal_()
        for frame in range(frames):
            with cache.camera.frame(frame, keep=True):
                pass
    for layer in lists:
        for frame in _written(layer, frames):
            _admit(layer, frame)
    cache.steps = frames


def _written(layer: LayerCache, frames: int) -> list[int]:
    """Return the indices of the frames to write: all, or the first and enough of the last."""
    if layer.plan.capacity is None:
        return list(range(frames))
    enough = layer.plan.capacity // layer.frame.tokens + 2
    return list(range(min(1, frames))) + list(range(max(1, frames - enough), frames))


def _admit(layer: LayerCache, frame: int) -> None:
    """Write a frame of random numbers."""
    codec = layer.keys
    tensors = codec.tensors()
    heads, dim, dtype = _shape_of(tensors, codec)
    device = layer.slots['frame'].device
    total = layer.held + layer.frame.tokens
    keys = torch.empty(total, heads, dim, device=device, dtype=dtype)
    # Without a bound nobody looks at what is held already, which would be long to make.
    keys[layer.held if layer.plan.capacity is None else 0 :].normal_()
    layer.admit(keys[layer.held :].transpose(0, 1), keys, keys, frame)


def _shape_of(tensors: dict[str, Tensor], codec: object) -> tuple[int, int, torch.dtype]:
    if 'plain' in tensors:
        plain = tensors['plain']
        return plain.shape[1], plain.shape[2], plain.dtype
    codes = tensors['codes']
    return codes.shape[1], codes.shape[2] * 8 // codec.bits, torch.float32


def _fill_naive(memory: NaiveMemory, layout: object, frames: int, device: torch.device) -> None:
    for kind, shape, arriving in (
        ('global', layout.global_blocks, layout.frame.tokens),
        ('camera', layout.camera_blocks, layout.camera_iterations),
    ):
        tokens = min(frames * arriving, memory.budget)
        if not tokens:
            continue
        for block in range(shape.blocks):
            numbers = torch.randn(1, shape.heads, tokens, shape.head_dim, device=device)
            numbers = numbers.to(layout.dtype if kind == 'global' else layout.camera_dtype)
            memory.held[kind, block] = numbers, numbers.clone()
