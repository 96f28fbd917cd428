# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Memory that nobody uses goes back to the system."""

from pathlib import Path
import sys

import pytest

from xstreamvggt_ros.memory.heap import give_back

BLOCK, BLOCKS = 60_000, 1000


def anonymous_bytes():
    status = Path('/proc/self/status').read_text(encoding='ascii')
    return 1024 * int(status.partition('RssAnon:')[2].split()[0])


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_holes_between_what_stays_are_given_back():
    give_back()
    before = anonymous_bytes()
    pins, buffers = [], []
    for index in range(BLOCKS):
        buffers.append(bytearray(BLOCK))
        pins.append(bytearray(1000 + index % 7))
    assert anonymous_bytes() - before > 0.9 * BLOCK * BLOCKS
    buffers.clear()

    give_back()

    assert len(pins) == BLOCKS
    assert anonymous_bytes() - before < 0.3 * BLOCK * BLOCKS
