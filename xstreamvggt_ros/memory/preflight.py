# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a stream will fit the device's memory, said before anything is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import time

import torch

from xstreamvggt_ros.cache import BudgetTooSmall
from xstreamvggt_ros.images.patches import PATCH_SIZE
from xstreamvggt_ros.memory.estimate import estimate, MemoryEstimate, named, Settings
from xstreamvggt_ros.world.mapping import BYTES_PER_POINT

# Long sides that are tried where an image is too large, the largest that fits being named.
SIZES = tuple(PATCH_SIZE * patches for patches in (37, 28, 22, 16, 12, 8))
FEWER_BITS = (8, 4, 2)
# Seconds after which no further setting is tried: the full network takes seconds for each size.
PATIENCE = 5.0


class NotEnoughMemory(ValueError):
    """A stream that does not fit; the message has the numbers and the settings that would do."""


def check_fit(
    settings: Settings,
    free: int,
    where: str,
    map_points: int = 0,
    patience: float = PATIENCE,
) -> MemoryEstimate:
    """
    Return the estimate of what fits in `free` bytes of the device called `where`.

    map_points: of a map that grows to so many in the same memory. Raises NotEnoughMemory where it
    does not fit, naming the settings that would, as far as they are found within `patience`
    seconds and one estimate.
    """
    needed, map_bytes = estimate(settings), map_points * BYTES_PER_POINT
    if needed.total + map_bytes <= free:
        return needed
    search = _Search(free - map_bytes, patience)
    changes = [*_smaller_map(needed, free), *search.remedies(settings)]
    found = [f'{change} ({named(size)})' for change, size in changes]
    if found:
        remedy = f'one of these would fit: {"; ".join(found)}'
    elif search.given_up:
        remedy = (
            f'nothing that would fit was found in {patience:g} s; lower model.image_size, the '
            "cache's budget and cache.bits together, or use a device with more memory"
        )
    else:
        remedy = (
            'no smaller image, budget or width of numbers would fit; use a device with more '
            'memory, or end what else uses it'
        )
    raise NotEnoughMemory(
        f'{where} has {named(free)} of memory free, but this takes {needed}{and_map(map_points)}; '
        f'{remedy}'
    )


def check_map(points: int, free: int) -> None:
    """Raise NotEnoughMemory where a map does not fit in the host's `free` bytes."""
    if points * BYTES_PER_POINT > free:
        raise NotEnoughMemory(
            f'the host has {named(free)} of memory free, but the map takes up to '
            f'{named(points * BYTES_PER_POINT)}; lower output.map_max_points to at most '
            f'{free // BYTES_PER_POINT}'
        )


def and_map(points: int) -> str:
    """Tell what a map of so many points takes beside what was told before."""
    return f' and the map up to {named(points * BYTES_PER_POINT)}' if points else ''


Change = tuple[str, Settings]


def _smaller_map(needed: MemoryEstimate, free: int) -> Iterator[tuple[str, int]]:
    points = (free - needed.total) // BYTES_PER_POINT
    if points >= 0:
        yield f'output.map_max_points {points}', needed.total + points * BYTES_PER_POINT


class _Search:
    """Look for what fits, for a while; `given_up` says whether something was left untried."""

    def __init__(self, free: int, patience: float) -> None:
        self.given_up = False
        self._free = free
        self._until = time.monotonic() + patience
        # Whose weights alone are too much, whatever the image.
        self._too_heavy: set[torch.dtype] = set()

    def remedies(self, settings: Settings) -> Iterator[tuple[str, int]]:
        self._size_of(settings)
        kinds = (_less_precise, _fewer_bits, _smaller_budgets, _smaller_images)
        found = [each for kind in kinds if (each := self._first(kind(settings))) is not None]
        if not found and (each := self._first(_everything(settings))) is not None:
            found = [each]
        yield from found

    def _first(self, changes: Iterator[Change]) -> tuple[str, int] | None:
        for words, changed in changes:
            size = self._size_of(changed)
            if size is not None and size <= self._free:
                return words, size
        return None

    def _size_of(self, settings: Settings) -> int | None:
        """Give the bytes, None where the settings cannot be meant or are not tried."""
        if settings.dtype in self._too_heavy:
            return None
        if time.monotonic() >= self._until:
            self.given_up = True
            return None
        try:
            needed = estimate(settings)
        except BudgetTooSmall:
            return None
        if needed.weights > self._free:
            self._too_heavy.add(settings.dtype)
        return needed.total


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
    for name, budget in settings.cache.budget.items():
        while budget >= 2:
            budget = int(budget) // 2
            cache = settings.cache.with_budget(**{name: budget})
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
