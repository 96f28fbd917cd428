# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a stream will fit the device's memory, said before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
import math

import torch

from xstreamvggt_ros.cache import BudgetTooSmall, CacheConfig, StreamCache
from xstreamvggt_ros.cache.rows import total_bytes
from xstreamvggt_ros.memory_trace import trace_frame
from xstreamvggt_ros.model import ModelConfig
from xstreamvggt_ros.model.config import PATCH_SIZE
from xstreamvggt_ros.preprocessing import Preprocessing

MIB, GIB = 2**20, 2**30
# Images of this width by height are what is reckoned with, as the warm-up does.
ASPECT = 4 / 3
# What libraries and allocators take beside, and convolutions for copies of what they work on as a
# share of a frame's tensors; test/test_preflight.py compares with what a process takes.
ALLOWANCE, ALLOWANCE_SHARE = 48 * MIB, 1.0
# Long sides that are tried where an image is too large, the largest that fits being named.
SIZES = tuple(PATCH_SIZE * patches for patches in (37, 28, 22, 16, 12, 8))
FEWER_BITS = (8, 4, 2)
# Of the new tokens and per number of theirs: fp32 copies and codes while they are rounded.
_ROUNDING = 24
# Per held token and column of scores: what a policy holds at once, three times fp32.
_SCORING = 12
_FP32 = 4


class NotEnoughMemory(ValueError):
    """A stream that does not fit; the message has the numbers and the settings that would do."""


@dataclass(frozen=True)
class Settings:
    """
    What decides how much memory a stream takes.

    image_size: the long side in pixels that images are brought to. dtype: of the large weights.
    in_memory: the weights are made in the host's memory, in fp32, rather than mapped from a file,
    and the device is that host. on_cpu: the device is the host, which attends by a fused kernel in
    fp32 only, and may hold weights in int8. aspect: of the images, width by height.
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
class Estimate:
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


def estimate(settings: Settings) -> Estimate:
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
    camera = sum(total_bytes(each.tensors().values()) for each in cache.camera.lists)
    cache.scratch.reserve(slots + layout.frame.tokens)
    scratch = total_bytes(cache.scratch.tensors() + cache.camera.scratch.tensors())
    layer = max(_admitting(settings, slots, cache), _scoring(settings, slots, cache))
    activations = max(trace.peak, trace.attending + layer)
    return Estimate(
        size=size,
        weights=trace.weights,
        cache=held + camera,
        scratch=scratch,
        activations=activations,
        allowance=ALLOWANCE + int(ALLOWANCE_SHARE * activations),
        loading=_FP32 * trace.numbers + ALLOWANCE if settings.in_memory else 0,
        growth=0 if settings.cache.bounded else held * layout.frame.tokens // slots,
    )


def check_fit(settings: Settings, free: int, where: str) -> Estimate:
    """
    Return the estimate of what fits in `free` bytes of the device called `where`.

    Raises NotEnoughMemory where it does not fit, naming the settings that would.
    """
    needed = estimate(settings)
    if needed.total <= free:
        return needed
    found = [f'{changes} ({named(size)})' for changes, size in remedies(settings, free)]
    remedy = (
        f'one of these would fit: {"; ".join(found)}'
        if found
        else 'no smaller image, budget or width of numbers would fit; use a device with more '
        'memory, or end what else uses it'
    )
    raise NotEnoughMemory(
        f'{where} has {named(free)} of memory free, but this takes {needed}; {remedy}'
    )


def remedies(settings: Settings, free: int) -> Iterator[tuple[str, int]]:
    """
    Give changes of parameters, as they are written, that fit in `free` bytes, and their bytes.

    Each kind of change is tried by itself, the gentlest that fits being given; where none does,
    all at once.
    """
    found = False
    for kind in (_less_precise, _fewer_bits, _smaller_budgets, _smaller_images):
        for changes, changed in kind(settings):
            size = _size_of(changed)
            if size is not None and size <= free:
                found = True
                yield changes, size
                break
    if found:
        return
    for changes, changed in _everything(settings):
        size = _size_of(changed)
        if size is not None and size <= free:
            yield changes, size
            return


Change = tuple[str, Settings]


def _less_precise(settings: Settings) -> Iterator[Change]:
    if settings.dtype == torch.float32:
        yield 'model.dtype bfloat16', replace(settings, dtype=torch.bfloat16)
    if settings.on_cpu and settings.dtype != torch.int8:
        yield 'model.dtype int8', replace(settings, dtype=torch.int8)


def _fewer_bits(settings: Settings) -> Iterator[Change]:
    for bits in FEWER_BITS:
        if bits < max(settings.cache.bits, settings.cache.stored_value_bits):
            cache = replace(settings.cache, bits=bits, value_bits=None)
            yield f'cache.bits {bits}, cache.value_bits 0', replace(settings, cache=cache)


def _smaller_budgets(settings: Settings) -> Iterator[Change]:
    for name in ('budget_tokens', 'budget_frames', 'budget_mib'):
        budget = getattr(settings.cache, name)
        while budget is not None and budget >= 2:
            budget = int(budget) // 2
            cache = replace(settings.cache, **{name: budget})
            yield f'cache.{name} {budget}', replace(settings, cache=cache)


def _smaller_images(settings: Settings) -> Iterator[Change]:
    for size in SIZES:
        if size < settings.image_size:
            yield f'model.image_size {size}', replace(settings, image_size=size)


def _everything(settings: Settings) -> Iterator[Change]:
    """Halve the precision first, then go through smaller images with ever smaller budgets."""
    words, smallest = [], settings
    for kind in (_less_precise, _fewer_bits):
        for change, changed in kind(smallest):
            words.append(change)
            smallest = changed
            break
    for image, smaller in [('', smallest), *_smaller_images(smallest)]:
        for budget, changed in [('', smaller), *_smaller_budgets(smaller)]:
            yield ', '.join(filter(None, [*words, image, budget])), changed


def _size_of(settings: Settings) -> int | None:
    try:
        return estimate(settings).total
    except BudgetTooSmall:
        return None


def _admitting(settings: Settings, slots: int, cache: StreamCache) -> int:
    """Bound what the storing of a frame takes beside keys and values, layer by layer."""
    shape, frame = cache.layout.global_blocks, cache.layout.frame
    numbers = shape.heads * shape.head_dim
    columns = {
        'snapkv': frame.tokens,
        'attention_value': frame.special_tokens
        + math.ceil((frame.tokens - frame.special_tokens) / settings.cache.pool_size),
    }.get(settings.cache.policy, shape.head_dim)
    attended = slots + frame.tokens
    scores = _SCORING * attended * columns
    sizes = attended * numbers * cache.layout.dtype.itemsize
    return _ROUNDING * frame.tokens * numbers + scores + sizes


def _scoring(settings: Settings, slots: int, cache: StreamCache) -> int:
    """Bound what attention takes where it is two products: a head's scores, and their softmax."""
    dtype, tokens = cache.layout.dtype, cache.layout.frame.tokens
    if not settings.on_cpu or dtype == torch.float32:
        return 0
    return 2 * tokens * (slots + tokens) * dtype.itemsize


def named(size: int) -> str:
    """Write bytes as MiB or GiB."""
    return f'{size / GIB:.2f} GiB' if size >= GIB else f'{math.ceil(size / MIB)} MiB'
