# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print what fits GPUs of the usual sizes: an estimate, nothing is measured or allocated.

``.venv/bin/python tools/memory_table.py`` needs no GPU. What it prints stands in docs/cache.md,
where tools/reference.py keeps it up to date.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
import sys

GIB = 2**30
GPUS_GIB = (4, 6, 8, 12, 16, 24, 48)
# Of a card's memory, what the driver, CUDA's own context and a screen leave.
USABLE = 0.92
CONTEXT = GIB // 2
SIZES = (518, 392, 224)
BITS = (4, 16)
# More would be slow before it would be large.
MOST_FRAMES = 256


def memory_table() -> str:
    """Find, for each GPU and width of numbers, the largest budget at the largest image size."""
    rows = [
        '| GPU | `model.image_size` | `cache.bits` | `cache.budget_frames` | tokens a layer | '
        'estimated memory |',
        '|---|---|---|---|---|---|',
    ]
    for gpu in GPUS_GIB:
        free = int(USABLE * gpu * GIB) - CONTEXT
        for bits in BITS:
            rows.append(f'| {gpu} GB | {_largest(bits, free)} |')
    return '\n'.join(rows)


def _largest(bits: int, free: int) -> str:
    import torch

    from xstreamvggt_ros.cache import CacheConfig
    from xstreamvggt_ros.memory.estimate import estimate, MemoryEstimate, named, Settings
    from xstreamvggt_ros.model import ModelConfig

    shipped = replace(CacheConfig.recommended(), bits=bits)
    model = ModelConfig.preset('streamvggt')

    def needed(size: int, frames: int) -> MemoryEstimate:
        cache = shipped.with_budget(budget_frames=frames)
        return estimate(Settings(model, cache, size, torch.bfloat16, point_head=True))

    for size in SIZES:
        # No budget holds fewer than two frames.
        fitting = bisect_right(
            range(2, MOST_FRAMES + 1), free, key=lambda frames: needed(size, frames).total
        )
        if fitting:
            frames = 1 + fitting
            found = needed(size, frames)
            tokens = frames * model.tokens_per_frame(*found.size)
            return f'{size} | {bits} | {frames} | {tokens:,} | {named(found.total)}'
    return f'none of {", ".join(map(str, SIZES))} | {bits} | | | '


def main() -> int:
    """Print the table."""
    print(
        f'streamvggt, bfloat16, point head, 4:3 images, at most {MOST_FRAMES} frames; estimated, '
        'not measured'
    )
    print(memory_table())
    return 0


if __name__ == '__main__':
    sys.exit(main())
