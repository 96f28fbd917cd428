# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print what fits GPUs of the usual sizes, and how fast they may be: estimates, nothing is measured.

``.venv/bin/python tools/memory_table.py`` needs no GPU. What it prints stands in docs/cache.md,
where tools/reference.py keeps it up to date. ``--free-gib`` asks for one device instead: the
largest budget that fits, in frames, with its memory and its time. It takes minutes on a slow core,
and says on stderr where it is.
"""

from __future__ import annotations

import argparse
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from functools import cache
import math
from pathlib import Path
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xstreamvggt_ros.memory.estimate import MemoryEstimate

GIB = 2**30
GPUS_GIB = (4, 6, 8, 12, 16, 24, 48)
# Boards whose GPU shares the host's memory, of which the system and the node's process take this.
UNIFIED_GIB = (8, 16, 64)
SYSTEM = 5 * GIB // 2
# Of a card's memory, what the driver, CUDA's own context and a screen leave.
USABLE = 0.92
CONTEXT = GIB // 2
SIZES = (518, 392, 224)
BITS = (4, 16)
PRESET = 'streamvggt'
ROOT = Path(__file__).resolve().parent.parent
# More would be slow before it would be large.
MOST_FRAMES = 256


def memory_table(tell: Callable[[str], None] = lambda what: None) -> str:
    """
    Find, for each GPU and width of numbers, the largest budget at the largest image size.

    `tell` hears what is estimated next.
    """
    rows = [
        '| GPU | `model.image_size` | `cache.bits` | `cache.budget_frames` | tokens a layer | '
        'estimated memory |',
        '|---|---|---|---|---|---|',
    ]
    for name, free in devices().items():
        for bits in BITS:
            tell(f'the largest budget on {name}, {bits} bits')
            rows.append(f'| {name} | {_largest(bits, free)} |')
    return '\n'.join(rows)


def devices() -> dict[str, int]:
    """Give the bytes that are free on GPUs of the usual sizes."""
    cards = {f'{gib} GB': int(USABLE * gib * GIB) - CONTEXT for gib in GPUS_GIB}
    boards = {f'Orin, {gib} GB': int(USABLE * gib * GIB) - SYSTEM for gib in UNIFIED_GIB}
    return cards | boards


def _largest(bits: int, free: int) -> str:
    for size in SIZES:
        found = largest_budget(free, size, bits)
        if found is not None:
            frames, needed, tokens = found
            return f'{size} | {bits} | {frames} | {tokens:,} | {_named(needed)}'
    return f'none of {", ".join(map(str, SIZES))} | {bits} | | | '


def largest_budget(
    free: int, size: int, bits: int, preset: str = PRESET
) -> tuple[int, MemoryEstimate, int] | None:
    """
    Find the most frames that a cache may hold within so many bytes.

    Returns them with the estimate and the tokens of a layer; None where not even two would fit,
    which any cache holds.
    """
    # Of images at this size; with more frames it only grows.
    fitting = bisect_right(
        range(2, MOST_FRAMES + 1),
        free,
        key=lambda frames: _needed(size, bits, frames, preset).total,
    )
    if not fitting:
        return None
    from xstreamvggt_ros.model import ModelConfig

    frames = 1 + fitting
    needed = _needed(size, bits, frames, preset)
    return frames, needed, frames * ModelConfig.preset(preset).tokens_per_frame(*needed.size)


@cache
def _needed(size: int, bits: int, frames: int, preset: str) -> MemoryEstimate:
    import torch

    from xstreamvggt_ros.cache import CacheConfig
    from xstreamvggt_ros.memory.estimate import estimate, Settings
    from xstreamvggt_ros.model import ModelConfig

    shipped = replace(CacheConfig.recommended(), bits=bits).with_budget(budget_frames=frames)
    return estimate(
        Settings(ModelConfig.preset(preset), shipped, size, torch.bfloat16, point_head=True)
    )


def _named(needed: MemoryEstimate) -> str:
    from xstreamvggt_ros.memory.estimate import named

    return named(needed.total)


def planning() -> str:
    """Estimate frames a second; benchmarks.planning says how."""
    planning = _planning()
    return f'{planning.notes()}\n\n{planning.planning_table()}'


def milliseconds(
    size: tuple[int, int], frames: int, bits: int, preset: str, device: str, free_gib: float
) -> str:
    """
    Estimate what a frame takes on a device of benchmarks.planning, by its name.

    Without a name on those with the least memory that has so much free.
    """
    from xstreamvggt_ros.cache import CacheConfig

    planning = _planning()
    devices = planning.DEVICES
    enough = min((each.gib for each in devices if each.gib > free_gib), default=0)
    chosen = [each for each in devices if (each.name == device if device else each.gib == enough)]
    if not chosen:
        known = ', '.join(each.name for each in devices)
        return f'not estimated; name a device: --device, one of {known}'
    config = replace(CacheConfig.recommended(), bits=bits).with_budget(budget_frames=frames)
    work = planning.work_of(size, config, preset)
    return ', '.join(f'{each.name} {work.milliseconds(each):.0f} ms' for each in chosen)


def _planning() -> ModuleType:
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from benchmarks import planning

    return planning


def _answer(options: argparse.Namespace) -> str:
    """Say what the largest budget is for one device."""
    asked = options.image_size, options.bits, options.preset
    _tell(f'the largest budget in {options.free_gib:g} GiB')
    found = largest_budget(int(options.free_gib * GIB), *asked)
    if found is None:
        least = _needed(options.image_size, options.bits, 2, options.preset)
        return (
            f'nothing fits in {options.free_gib:g} GiB: two frames take {_named(least)}; take a '
            'smaller --image-size or fewer --bits'
        )
    frames, needed, tokens = found
    height, width = needed.size
    limit = 'the most that is looked for'
    if frames < MOST_FRAMES:
        one_more = _needed(options.image_size, options.bits, frames + 1, options.preset)
        limit = f'{frames + 1} frames would take {_named(one_more)}, more than is free'
    _tell('the time of a frame')
    time = milliseconds(
        needed.size, frames, options.bits, options.preset, options.device, options.free_gib
    )
    return (
        f'cache.budget_frames {frames}: {tokens:,} tokens a layer at {width}x{height}, '
        f'{options.bits} bits; {needed}\n'
        f'{limit}; nothing else is set aside than the allowance for libraries and allocators\n'
        f'a captured frame by estimate: {time}'
    )


def _memory(text: str) -> float:
    """Read GiB of a device; ArgumentTypeError, which argparse prints, for what none can have."""
    try:
        gib = float(text)
    except ValueError:
        gib = math.nan
    if not (math.isfinite(gib) and gib > 0):
        raise argparse.ArgumentTypeError(f'{text!r} is no memory; give GiB above 0, such as 6')
    return gib


def _tell(what: str) -> None:
    print(f'estimating {what} ...', file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Print the tables, or what fits one device."""
    from xstreamvggt_ros.model.model_config import PRESETS

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument(
        '--free-gib',
        type=_memory,
        help='memory of one device that is free once the system, a screen and the CUDA context '
        'have theirs, as nvidia-smi shows it; a budget may take all of it',
    )
    parser.add_argument(
        '--image-size', type=int, help="long side, pixels; else the preset's, as the node takes it"
    )
    parser.add_argument('--preset', default=PRESET, choices=sorted(PRESETS))
    parser.add_argument('--bits', type=int, default=BITS[0], choices=(2, 4, 8, 16))
    parser.add_argument(
        '--device',
        default='',
        help='whose time is estimated with --free-gib, e.g. "RTX 4090"; else that of the smallest '
        'devices with so much memory',
    )
    options = parser.parse_args(arguments or [])
    if options.image_size is None:
        options.image_size = PRESETS[options.preset].image_size
    if options.free_gib is not None:
        print(_answer(options))
        return 0
    print(
        f'{PRESET}, bfloat16, point head, 4:3 images, at most {MOST_FRAMES} frames; estimated, '
        'not measured',
        flush=True,
    )
    print(memory_table(_tell), flush=True)
    print()
    _tell('frames a second')
    print(planning())
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
