# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The most memory that a step takes beside what was held before it."""

from __future__ import annotations

from collections.abc import Callable
import ctypes
from pathlib import Path

import torch

_STATUS, _CLEAR = Path('/proc/self/status'), Path('/proc/self/clear_refs')
# What makes the kernel begin anew with the largest resident size.
_RESET_PEAK = '5'


def available_bytes(device: torch.device) -> int:
    """Return what the device has left."""
    if device.type == 'cuda':
        return torch.cuda.mem_get_info(device)[0]
    for line in Path('/proc/meminfo').read_text().splitlines():
        if line.startswith('MemAvailable'):
            return int(line.split()[1]) * 1024
    raise OSError('/proc/meminfo does not say what memory is available')


def transient_bytes(step: Callable[[], object], device: torch.device) -> int | None:
    """Run a step; return the most that it took for the while, None where nobody can say."""
    if device.type == 'cuda':
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        step()
        return torch.cuda.max_memory_allocated(device) - before
    try:
        # What the allocator has kept from earlier would hide what this step takes.
        ctypes.CDLL('libc.so.6').malloc_trim(0)
        _CLEAR.write_text(_RESET_PEAK)
        before = _status('VmRSS')
    except (OSError, AttributeError):
        return None
    step()
    return max(0, _status('VmHWM') - before)


def _status(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f'{name}:'):
            return int(line.split()[1]) * 1024
    raise OSError(f'{_STATUS} has no {name}')
