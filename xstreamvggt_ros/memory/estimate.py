# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory a stream takes, reckoned without allocating it."""

from __future__ import annotations

from dataclasses import dataclass
import math

import torch

from xstreamvggt_ros.cache import CacheConfig, StreamCache
from xstreamvggt_ros.cache.rows import total_bytes
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.memory.trace import trace_frame
from xstreamvggt_ros.model import ModelConfig
from xstreamvggt_ros.ops.attention import by_products
from xstreamvggt_ros.ops.dispatch import has_triton

MIB, GIB = 2**20, 2**30
# Images of this width by height are what is reckoned with, as the warm-up does.
ASPECT = 4 / 3
# What libraries and allocators take beside, and convolutions for copies of what they work on as a
# share of a frame's tensors, which heaps of threads give back late: peaks of one stream differ by
# a half from run to run. test/memory/test_estimate.py compares with what a process takes.
ALLOWANCE, ALLOWANCE_SHARE = 48 * MIB, 1.25
# Of the new tokens and per number of theirs: fp32 copies and codes while they are rounded.
_ROUNDING = 24
_FP32 = 4


@dataclass(frozen=True)
class Settings:
    """
    What decides how much memory a stream takes.

    image_size: the long side in pixels that images are brought to. dtype: of the large weights.
    in_memory: the weights are made in the host's memory, in fp32, rather than mapped from a file,
    and the device is that host. on_cpu: the device is the host, which may attend by two products
    in bf16, and hold weights in int8. aspect: of the images, width by height.
    """

    model: ModelConfig
    cache: CacheConfig
    image_size: int
    dtype: torch.dtype
    point_head: bool = False
    in_memory: bool = False
    on_cpu: bool = False
    aspect: float = ASPECT


@dataclass(frozen=True)
class MemoryEstimate:
    """
    Bytes that a stream takes.

    weights: of the network. cache: everything that persists between frames. scratch: keys and
    values of one layer, unpacked. activations: the most that a frame's tensors take at once.
    allowance: what libraries and allocators take beside. loading: before the first frame, where
    that may be the most. growth: by which a cache without a budget grows with every frame; the
    rest is then of one.
    """

    size: tuple[int, int]
    weights: int
    cache: int
    scratch: int
    activations: int
    allowance: int
    loading: int
    growth: int

    @property
    def running(self) -> int:
        """Everything at once, at its most, while frames come."""
        return self.weights + self.cache + self.scratch + self.activations + self.allowance

    @property
    def total(self) -> int:
        """Everything at once, at its most."""
        return max(self.running, self.loading)

    def __str__(self) -> str:
        """Tell the sum and its parts."""
        height, width = self.size
        text = (
            f'about {named(self.total)} at {width}x{height} (weights {named(self.weights)}, '
            f'cache {named(self.cache)}, scratch {named(self.scratch)}, activations '
            f'{named(self.activations)}, allowance {named(self.allowance)})'
        )
        if self.loading > self.running:
            text += ', since the weights are made in fp32 first'
        if self.growth:
            text += (
                f' for the first image, and {named(self.growth)} more with every image, since '
                'the cache has no budget'
            )
        return text


def estimate(settings: Settings) -> MemoryEstimate:
    """
    Reckon what a stream takes, allocating nothing.

    Weights, cache and scratch are exact; activations are those of the network's own tensors, and
    the allowance a share of them. Raises BudgetTooSmall as the cache does.
    """
    height = math.ceil(settings.image_size / settings.aspect)
    size = Preprocessing.plan(height, settings.image_size, settings.image_size).size
    trace = trace_frame(settings.model, *size, settings.dtype, settings.point_head)
    layout = trace.layout
    cache = StreamCache(settings.cache, layout, torch.device('meta'))
    slots = cache.layers[0].capacity
    held = sum(total_bytes(each.tensors().values()) for each in cache.layers)
    camera = total_bytes(cache.camera.tensors())
    cache.scratch.reserve(slots + layout.frame.tokens)
    scratch = total_bytes(cache.scratch_tensors())
    layer = max(_admitting(settings, slots, cache), _scoring(settings, slots, cache))
    activations = max(trace.peak, trace.attending + layer)
    return MemoryEstimate(
        size=size,
        weights=trace.weights,
        cache=held + camera,
        scratch=scratch,
        activations=activations,
        allowance=ALLOWANCE + int(ALLOWANCE_SHARE * activations),
        loading=_FP32 * trace.numbers + ALLOWANCE if settings.in_memory else 0,
        growth=0 if settings.cache.bounded else held * layout.frame.tokens // slots,
    )


def _admitting(settings: Settings, slots: int, cache: StreamCache) -> int:
    """Bound what the storing of a frame takes beside keys and values, layer by layer."""
    shape, frame = cache.layout.global_blocks, cache.layout.frame
    numbers = shape.heads * shape.head_dim
    attended = slots + frame.tokens
    # With kernels all heads are scored at once.
    together = not settings.on_cpu and has_triton()
    scores = cache.layers[0].policy.scoring_bytes(attended, frame, shape, together)
    sizes = attended * numbers * cache.layout.dtype.itemsize
    return _ROUNDING * frame.tokens * numbers + scores + sizes


def _scoring(settings: Settings, slots: int, cache: StreamCache) -> int:
    """Bound what attention takes where it is two products: a head's scores."""
    dtype, tokens = cache.layout.dtype, cache.layout.frame.tokens
    if not (settings.on_cpu and by_products(dtype)):
        return 0
    return tokens * (slots + tokens) * dtype.itemsize


def named(size: int) -> str:
    """Write bytes as MiB or GiB."""
    return f'{size / GIB:.2f} GiB' if size >= GIB else f'{math.ceil(size / MIB)} MiB'
