# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Run the node and note what its heap holds: python -m benchmarks.heap_probe FILE ARGUMENTS.

Every ten seconds a line of JSON: what glibc's mallinfo2 says of all arenas. `holes` are free
chunks between what is in use; where they become more though `used` stays, the heap is being cut
into pieces.
"""

from __future__ import annotations

import ctypes
import json
from pathlib import Path
import sys
import threading
import time

from xstreamvggt_ros.node import main

PERIOD_S = 10.0


class _MallInfo2(ctypes.Structure):
    """As in malloc.h."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *('arena', 'ordblks', 'smblks', 'hblks', 'hblkhd'),
            *('usmblks', 'fsmblks', 'uordblks', 'fordblks', 'keepcost'),
        )
    ]


def heap() -> dict[str, int]:
    """Read the heap's figures: bytes in use, bytes free, and in how many holes."""
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = _MallInfo2
    info = mallinfo2()
    return {'used': info.uordblks, 'free': info.fordblks, 'holes': info.ordblks}


def _watch(file: Path) -> None:
    while True:
        time.sleep(PERIOD_S)
        with file.open('a', encoding='ascii') as lines:
            lines.write(json.dumps(heap()) + '\n')


if __name__ == '__main__':
    threading.Thread(target=_watch, args=(Path(sys.argv[1]),), daemon=True).start()
    raise SystemExit(main([sys.argv[0], *sys.argv[2:]]))
