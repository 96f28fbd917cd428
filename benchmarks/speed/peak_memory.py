# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The most memory that a step takes beside what was held before it."""

from __future__ import annotations

from collections.abc import Callable
import math

import torch

from xstreamvggt_ros.evaluation.process_memory import (
    forget_earlier_runs,
    peak_allocated_bytes,
    take_peak_resident_bytes,
)


def transient_bytes(step: Callable[[], object], device: torch.device) -> int | None:
    """Run a step; return the most that it took for the while, None where nobody can say."""
    # What the allocator has kept from earlier would hide what this step takes.
    forget_earlier_runs(device)
    if device.type == 'cuda':
        before = torch.cuda.memory_allocated(device)
        step()
        return int(peak_allocated_bytes(device)) - before
    take_peak_resident_bytes()
    before = take_peak_resident_bytes()
    step()
    taken = take_peak_resident_bytes() - before
    return None if math.isnan(taken) else max(0, int(taken))
