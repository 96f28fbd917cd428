# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print what passive waiting gives beside a busy process: python -m benchmarks.speed.waiting.

Frames of `tiny` run with as many threads as there are cores, beside a process that keeps a core
busy, as a robot's other nodes do, and alone. The ways: threads that spin while they wait for each
other; threads that sleep; as a program gets them that imports torch before this package; as one
that imports this package first. Wall time; the ways run in turn.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import os
from pathlib import Path
import subprocess
import sys
import time

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BUSY = 'while True: pass'
# OMP_WAIT_POLICY, None where it is not set, and whether torch is imported first.
WAYS = {
    'spinning': ('ACTIVE', False),
    'sleeping': ('PASSIVE', False),
    'torch imported first': (None, True),
    'this package first': (None, False),
}
FRAMES = 20


def seconds_a_frame(way: str, busy: bool, frames: int = FRAMES) -> float:
    """Run frames in a process of their own, its threads waiting in that way."""
    policy, torch_first = WAYS[way]
    environment = {name: value for name, value in os.environ.items() if name != 'OMP_WAIT_POLICY'}
    environment |= {'OMP_NUM_THREADS': str(len(os.sched_getaffinity(0)))}
    environment |= {'OMP_WAIT_POLICY': policy} if policy else {}
    first = 'import torch' if torch_first else 'import xstreamvggt_ros'
    code = f'{first}; from benchmarks.speed.waiting import run_frames; print(run_frames({frames}))'
    run = [sys.executable, '-c', code]
    with ExitStack() as stack:
        if busy:
            other = stack.enter_context(subprocess.Popen([sys.executable, '-c', BUSY]))
            stack.callback(other.kill)
        done = subprocess.run(
            run, env=environment, cwd=ROOT, check=True, capture_output=True, text=True
        )
    return float(done.stdout)


def run_frames(frames: int) -> float:
    """Return the seconds of a frame of `tiny`."""
    import torch

    from xstreamvggt_ros.cache import CacheConfig
    from xstreamvggt_ros.stream import StreamingReconstructor
    from xstreamvggt_ros.stream.loading import load_network

    model = load_network('tiny', '', '', 'cpu', 'float32')
    stream = StreamingReconstructor(model, CacheConfig.recommended(), point_head=False)
    image = torch.rand(3, 168, 224)
    for _ in range(3):
        stream.step(image)
    began = time.perf_counter()
    for _ in range(frames):
        stream.step(image)
    return (time.perf_counter() - began) / frames


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--rounds', type=int, default=5)
    options = parser.parse_args()
    names = ' | '.join(f'{way}, ms' for way in WAYS)
    print(f'| beside | {names} | sleeping is faster (quartiles) |\n|---|---|---|---|---|---|')
    for name, busy in (('nothing', False), ('a busy process', True)):
        seconds = np.array(
            [[seconds_a_frame(way, busy) for way in WAYS] for _ in range(options.rounds)]
        )
        low, middle, high = np.percentile(seconds[:, 0] / seconds[:, 1], (25, 50, 75))
        cells = ' | '.join(f'{each:.1f}' for each in 1e3 * np.median(seconds, axis=0))
        print(f'| {name} | {cells} | {middle:.1f} ({low:.1f} to {high:.1f}) |')


if __name__ == '__main__':
    main()
