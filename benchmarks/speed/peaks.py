# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What this device can do at most: arithmetic by precision, and copying."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import time

import torch
from torch import Tensor

GIGA = 1e9
# Large enough for any cache to be left behind, small enough for a laptop.
_COPIED_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Peaks:
    """Operations per second by precision name, and bytes read and written per second."""

    operations: dict[str, float]
    bandwidth: float

    def floor(self, operations: dict[str, float], moved: float) -> float:
        """Return the seconds that so many operations and bytes take at the least."""
        arithmetic = sum(count / self.operations[name] for name, count in operations.items())
        return max(arithmetic, moved / self.bandwidth)


def clock_name(device: torch.device) -> str:
    """Say which clock `now` reads."""
    if device.type == 'cpu' and torch.get_num_threads() == 1:
        return 'processor time of one thread, which other processes do not add to'
    return 'wall time'


def now(device: torch.device) -> float:
    """Return the time in seconds, once the device has done what it was given."""
    if device.type == 'cuda':
        torch.cuda.synchronize(device)
    elif torch.get_num_threads() == 1:
        return time.thread_time()
    return time.perf_counter()


def measure(device: torch.device, side: int = 2048, seconds: float = 1.0) -> Peaks:
    """Multiply square matrices, and copy; the best of as many tries as fit in the time each."""
    operations = {}
    for name, dtype in (('float32', torch.float32), ('bfloat16', torch.bfloat16)):
        a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
        operations[name] = _rate(2 * side**3, lambda a=a, b=b: a @ b, device, seconds)
    a, b = (torch.randint(-9, 9, (side, side), device=device).to(torch.int8) for _ in range(2))
    operations['int8'] = _rate(2 * side**3, lambda: torch._int_mm(a, b.t()), device, seconds)
    source = torch.zeros(_COPIED_BYTES, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    moved = _rate(2 * _COPIED_BYTES, lambda: target.copy_(source), device, seconds)
    return Peaks(operations, moved)


def _rate(
    work: float, function: Callable[[], Tensor], device: torch.device, seconds: float
) -> float:
    function()
    best, deadline = float('inf'), time.perf_counter() + seconds
    while best == float('inf') or time.perf_counter() < deadline:
        began = now(device)
        function()
        best = min(best, now(device) - began)
    return work / best
