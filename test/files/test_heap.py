# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that nobody uses goes back to the system."""

import subprocess
import sys

import pytest

BLOCK, BLOCKS = 60_000, 1000
# In a process of its own: whoever else ran before, and still does, holds and frees memory too.
PROGRAM = f"""
from pathlib import Path

from xstreamvggt_ros.files.heap import give_back


def anonymous_bytes():
    status = Path('/proc/self/status').read_text(encoding='ascii')
    return 1024 * int(status.partition('RssAnon:')[2].split()[0])


give_back()
before = anonymous_bytes()
pins, buffers = [], []
for index in range({BLOCKS}):
    buffers.append(bytearray({BLOCK}))
    pins.append(bytearray(1000 + index % 7))
taken = anonymous_bytes() - before
buffers.clear()
give_back()
print(taken, anonymous_bytes() - before)
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_holes_between_what_stays_are_given_back():
    done = subprocess.run(
        [sys.executable, '-c', PROGRAM], check=True, capture_output=True, text=True
    )
    taken, kept = map(int, done.stdout.split())
    assert taken > 0.9 * BLOCK * BLOCKS
    assert kept < 0.3 * BLOCK * BLOCKS
