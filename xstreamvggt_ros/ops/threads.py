# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many threads torch computes with, and how they wait."""

from __future__ import annotations

import logging
import math
import os
from pathlib import Path

import torch

import xstreamvggt_ros

# Of the control group that a container runs in: microseconds of all cores, and of each.
QUOTA = Path('/sys/fs/cgroup/cpu.max')
_LOG = logging.getLogger(__name__)


def configure_threads(quota: Path = QUOTA) -> int:
    """
    Have torch compute with as many threads as this process may use cores; return how many.

    OMP_NUM_THREADS, where it is set, stays. Threads sleep while they wait where this package was
    imported before torch, or OMP_WAIT_POLICY was set; a warning says that it was not.
    """
    if xstreamvggt_ros.SPINS:
        _LOG.warning(
            'torch was imported before xstreamvggt_ros, so that its threads spin while they wait: '
            'beside other work a frame then takes several times as long; import xstreamvggt_ros '
            'first, or set OMP_WAIT_POLICY=PASSIVE'
        )
    if 'OMP_NUM_THREADS' not in os.environ:
        torch.set_num_threads(usable_cores(quota))
    return torch.get_num_threads()


def usable_cores(quota: Path = QUOTA) -> int:
    """Count the cores that this process may run on, a container's quota rounded up."""
    cores = len(os.sched_getaffinity(0))
    try:
        allowed, period = quota.read_text(encoding='ascii').split()
        share = math.ceil(int(allowed) / int(period))
    except (OSError, ValueError):
        # No such file, or `max`: no quota.
        return cores
    return max(1, min(cores, share))
