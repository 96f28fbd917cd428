# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Processes that render training sequences on the host's other cores."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys

# For the process that trains and for its reader.
KEPT_CORES = 2
MODULE = 'xstreamvggt_ros.training.prerender'


def spare_cores() -> int:
    """Return how many renderers this process may have beside it."""
    return max(1, len(os.sched_getaffinity(0)) - KEPT_CORES)


class Renderers:
    """
    Renderers that fill a folder of shards, each with its share of the seeds.

    They end with `stop`, and by themselves where this process is no more.
    """

    def __init__(
        self, folder: Path, processes: int, size: tuple[int, int], frames: int, most: int
    ) -> None:
        """Start so many; above `most` shards the oldest go."""
        folder.mkdir(parents=True, exist_ok=True)
        shares = ('--every', processes, '--most', most)
        self._each = [
            _start(folder, size, frames, '--first', rank, *shares) for rank in range(processes)
        ]
        self._held_out: subprocess.Popen | None = None

    def hold_out(self, folder: Path, count: int, frames: int, size: tuple[int, int]) -> None:
        """Render the first `count` held-out sequences into a folder, too."""
        self._held_out = _start(folder, size, frames, '--held-out', count)

    def wait_for_held_out(self) -> None:
        """Return when they are there, or whoever renders them has failed."""
        if self._held_out is not None:
            self._held_out.wait()

    def check(self) -> None:
        """Raise RuntimeError where none is left that renders."""
        ended = [renderer.poll() for renderer in self._each]
        if all(code is not None for code in ended):
            raise RuntimeError(
                f'every renderer has ended, with {ended}; see what they wrote above'
            )

    def stop(self) -> None:
        """End them."""
        every = [*self._each, *([self._held_out] if self._held_out else [])]
        for renderer in every:
            renderer.terminate()
        for renderer in every:
            renderer.wait()


def _start(folder: Path, size: tuple[int, int], frames: int, *options: object) -> subprocess.Popen:
    command = [sys.executable, '-m', MODULE, '--folder', folder, '--size', *size]
    command += ['--frames', frames, '--while', os.getpid(), *options]
    return subprocess.Popen(
        [str(word) for word in command],
        env={**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''},
        stdin=subprocess.DEVNULL,
    )
