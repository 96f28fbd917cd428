# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The most memory that a process took, of one run or frame alone where it makes many."""

from __future__ import annotations

from pathlib import Path

import torch

from xstreamvggt_ros.files.heap import give_back

# What makes the kernel begin anew with the largest resident size, see proc_pid_clear_refs(5).
_BEGIN_ANEW = '5'
# What is in a record, so that nobody takes one for another.
MEANINGS = {
    'exact': {
        'resident_mib': 'VmHWM of the process of the run, begun anew with every frame: the most '
        'that was resident while the frame was worked on',
        'device_mib': 'most that torch had allocated on the CUDA device at once since the run '
        'began, weights among it',
    },
    'live': {
        'resident_mib': 'VmHWM of the process of the node, begun anew with every look at it: the '
        'most that was resident since the look before',
        'device_mib': 'not known of another process',
    },
}


def forget_earlier_runs(device: torch.device) -> None:
    """Give back what runs before left in this process; what is allocated counts from here on."""
    give_back()
    if device.type == 'cuda':
        # Statistics cannot be reset before there is a context.
        torch.cuda.init()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_allocated_bytes(device: torch.device) -> float:
    """Give the most that was allocated at once since then on a CUDA device, NaN for another."""
    return (
        float(torch.cuda.max_memory_allocated(device)) if device.type == 'cuda' else float('nan')
    )


def take_peak_resident_bytes(process: str = 'self') -> float:
    """
    Give the most that was resident at once in a process since this was asked last.

    When it is asked first, since the process began. NaN where the system does not tell, or the
    process is gone.
    """
    folder = Path('/proc', process)
    try:
        lines = (folder / 'status').read_text(encoding='utf-8').splitlines()
        (folder / 'clear_refs').write_text(_BEGIN_ANEW, encoding='ascii')
        return 1024.0 * next(int(line.split()[1]) for line in lines if line.startswith('VmHWM'))
    except (OSError, StopIteration):
        return float('nan')
