# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Render training sequences ahead, without end, into a folder.

    python -m xstreamvggt_ros.training.prerender --folder .training/shards
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
import contextlib
import os
from pathlib import Path
import time

import torch

from xstreamvggt_ros.synthetic import NoFreePlace
from xstreamvggt_ros.synthetic.held_out import render, SIZE
from xstreamvggt_ros.training.evaluation import held_out
from xstreamvggt_ros.training.shards import FRAMES, ShardFolder, training_config

PER_SHARD = 8
TRIES = 2 * PER_SHARD


def prerender(
    folder: ShardFolder,
    first: int,
    stop: int,
    most: int,
    size: tuple[int, int] = SIZE,
    frames: int = FRAMES,
    going_on: Callable[[], bool] = lambda: True,
    every: int = 1,
) -> None:
    """
    Write every `every`-th of the shards `first` to `stop`, leaving out those that are there.

    Above `most` shards the oldest go; where there are that many already, `first` is the number
    behind the newest. Ends where `going_on` says no. Raises NoFreePlace where too few of a
    shard's scenes have room for a camera.
    """
    present = folder.shards()
    if len(present) >= most > 0:
        # Older ones would be deleted as soon as they are written.
        newest = int(present[-1].stem.removeprefix('shard-'))
        first += max(0, -(-(1 + newest - first) // every) * every)
    for number in range(first, stop, every):
        if not going_on():
            return
        name = f'{number:06d}'
        if (folder.folder / f'shard-{name}.npz').exists():
            continue
        folder.write(name, _render_shard(number, size, frames))
        for shard in folder.shards()[:-most]:
            folder.remove(shard)


def _render_shard(number: int, size: tuple[int, int], frames: int):
    sequences = []
    for index in range(number * TRIES, (number + 1) * TRIES):
        with contextlib.suppress(NoFreePlace):
            sequences.append(render(training_config(index, frames, size)))
        if len(sequences) == PER_SHARD:
            return sequences
    raise NoFreePlace(
        f'shard {number}: {len(sequences)} of {TRIES} scenes have room for a camera, not '
        f'{PER_SHARD}; leave it out with --first {number + 1}'
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--folder', type=Path, required=True)
    parser.add_argument('--first', type=int, default=0, help='number of the first shard')
    parser.add_argument('--shards', type=int, default=100_000, help='how many to write')
    parser.add_argument('--most', type=int, default=400, help='shards to keep on the disk')
    parser.add_argument('--every', type=int, default=1, help='write every n-th of them')
    parser.add_argument('--max-minutes', type=float, default=float('inf'))
    parser.add_argument(
        '--while', dest='parent', type=int, help='end with this process, which started it'
    )
    parser.add_argument('--size', type=int, nargs=2, default=SIZE, metavar=('HEIGHT', 'WIDTH'))
    parser.add_argument('--frames', type=int, default=FRAMES)
    parser.add_argument(
        '--held-out',
        type=int,
        metavar='COUNT',
        help='render the first of those kept for validation',
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.held_out:
        folder = ShardFolder(options.folder)
        held_out(folder, options.held_out, options.frames, tuple(options.size))
        return
    deadline = time.monotonic() + 60 * options.max_minutes

    def going_on() -> bool:
        orphaned = options.parent is not None and os.getppid() != options.parent
        return not orphaned and time.monotonic() < deadline

    prerender(
        ShardFolder(options.folder),
        options.first,
        options.first + options.shards,
        options.most,
        tuple(options.size),
        options.frames,
        going_on,
        options.every,
    )


if __name__ == '__main__':
    main()
