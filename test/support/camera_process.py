# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera in a process of its own, over the transports that Fast DDS has by default."""

from contextlib import contextmanager
import os
from pathlib import Path
import subprocess
import sys

PROGRAM = Path(__file__).with_name('camera_program.py')


@contextmanager
def camera(topic, count, *, reliable, width=640, height=480, rate=10.0):
    """Publish `count` images once there is a subscription; ends with the block."""
    environment = {name: os.environ[name] for name in os.environ if 'PROFILES' not in name}
    arguments = [topic, count, 'reliable' if reliable else 'best_effort', width, height, rate]
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), *map(str, arguments)], env=environment
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()
