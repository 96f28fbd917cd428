# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print what passive waiting gives beside a busy process: python -m benchmarks.speed.waiting.

Frames of `tiny` run with as many threads as there are cores, once with threads that spin while
they wait for each other and once with threads that sleep, beside a process that keeps a core busy,
as a robot's other nodes do, and alone. Wall time; the ways run in turn.
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
import os
import subprocess
import sys

import numpy as np

BUSY = 'while True: pass'
FRAMES = """
import time, torch
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.loading import load_network
from xstreamvggt_ros.stream import StreamingReconstructor
model = load_network('tiny', '', '', 'cpu', 'float32')
stream = StreamingReconstructor(model, CacheConfig.recommended(), point_head=False)
image = torch.rand(3, 168, 224)
for _ in range(3):
    stream.step(image)
began = time.perf_counter()
for _ in range(20):
    stream.step(image)
print((time.perf_counter() - began) / 20)
"""
POLICIES = ('ACTIVE', 'PASSIVE')


def seconds_a_frame(policy: str, busy: bool) -> float:
    """Run the frames in a process of their own, its threads waiting in that way."""
    environment = os.environ | {
        'OMP_WAIT_POLICY': policy,
        'OMP_NUM_THREADS': str(len(os.sched_getaffinity(0))),
    }
    with ExitStack() as stack:
        if busy:
            other = stack.enter_context(subprocess.Popen([sys.executable, '-c', BUSY]))
            stack.callback(other.kill)
        run = [sys.executable, '-c', FRAMES]
        done = subprocess.run(run, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--rounds', type=int, default=5)
    rounds = parser.parse_args().rounds
    print('| beside | spinning, ms | sleeping, ms | faster (quartiles) |\n|---|---|---|---|')
    for name, busy in (('nothing', False), ('a busy process', True)):
        seconds = np.array(
            [[seconds_a_frame(each, busy) for each in POLICIES] for _ in range(rounds)]
        )
        low, middle, high = np.percentile(seconds[:, 0] / seconds[:, 1], (25, 50, 75))
        before, after = 1e3 * np.median(seconds, axis=0)
        print(f'| {name} | {before:.1f} | {after:.1f} | {middle:.1f} ({low:.1f} to {high:.1f}) |')


if __name__ == '__main__':
    main()
