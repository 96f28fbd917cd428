# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The process's own heap: what nobody uses goes back to the system."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """
    Return pages that hold nothing to the system, where the C library can (glibc).

    A stream's buffers leave holes between what stays, which the allocator would keep for the next
    one, whose buffers may be of another size. It takes milliseconds, all threads meanwhile wait
    where they allocate, and nothing that is in use is touched.
    """
    # Exceptions hold reference cycles, and those the memory.
    gc.collect()
    trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)
    if trim is not None:
        trim(ctypes.c_size_t(0))
