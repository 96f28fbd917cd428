# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory a device has left for this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch

PROC = Path('/proc')
CGROUPS = Path('/sys/fs/cgroup')
# Limit, usage and the entry of memory.stat that is given back on demand, in version 2 and 1.
_CGROUP_FILES = (
    ('memory.max', 'memory.current', 'inactive_file'),
    ('memory.limit_in_bytes', 'memory.usage_in_bytes', 'total_inactive_file'),
)


def free_bytes(device: torch.device) -> int:
    """Return what can be allocated on a CUDA device, or of the host's memory on any other."""
    if device.type == 'cuda':
        return torch.cuda.mem_get_info(device)[0]
    return host_free_bytes()


def host_free_bytes(proc: Path = PROC, cgroups: Path = CGROUPS) -> int:
    """
    Return what the kernel calls available, or what a control group of this process leaves.

    Files that the kernel would give up count as free in both.
    """
    return min([_available(proc), *_left_by_groups(proc, cgroups)])


def _available(proc: Path) -> int:
    for line in (proc / 'meminfo').read_text().splitlines():
        name, _, amount = line.partition(':')
        if name == 'MemAvailable':
            return 1024 * int(amount.split()[0])
    raise OSError(f'{proc / "meminfo"} has no MemAvailable; a kernel since 3.14 has')


def _left_by_groups(proc: Path, cgroups: Path) -> Iterator[int]:
    for folder in _groups(proc, cgroups):
        for limit_name, usage_name, reclaimable in _CGROUP_FILES:
            try:
                limit = (folder / limit_name).read_text().strip()
                usage = int((folder / usage_name).read_text())
                stat = (folder / 'memory.stat').read_text().splitlines()
            except OSError:
                continue
            if limit == 'max':
                continue
            numbers = dict(line.split() for line in stat)
            yield max(0, int(limit) - usage + int(numbers.get(reclaimable, 0)))


def _groups(proc: Path, cgroups: Path) -> Iterator[Path]:
    """Give the folders of this process's groups and of those around them."""
    try:
        lines = (proc / 'self' / 'cgroup').read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(':', 2)
        if controllers in ('', 'memory'):
            root = cgroups / controllers
            own = root / path.lstrip('/')
            # A container may see its own group at the root, under another name than this.
            yield from (own, *(each for each in own.parents if each.is_relative_to(root)))
