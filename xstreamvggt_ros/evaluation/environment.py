# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a run was made: versions, device, and the commit of the sources where there is one."""

from __future__ import annotations

from pathlib import Path
import platform
import shutil
import subprocess

import torch

from xstreamvggt_ros.stream.loading import choose_device, choose_dtype
from xstreamvggt_ros.world.saving import versions

SOURCES = Path(__file__).resolve().parents[2]
CPU_INFO = Path('/proc/cpuinfo')
GIT_TIMEOUT_S = 5.0


def environment(device: str, dtype: str) -> dict[str, object]:
    """Describe this machine, for a network on `device` in `dtype` (names as the node's)."""
    chosen = choose_device(device)
    on_gpu = chosen.type == 'cuda'
    return {
        'versions': versions(),
        'device': torch.cuda.get_device_name(chosen) if on_gpu else _processor(),
        'device_type': chosen.type,
        'dtype': str(choose_dtype(dtype, chosen)).removeprefix('torch.'),
        'threads': torch.get_num_threads(),
        'system': platform.platform(),
        'commit': _commit(),
    }


def _processor() -> str:
    if CPU_INFO.is_file():
        for line in CPU_INFO.read_text(encoding='utf-8', errors='replace').splitlines():
            name, _, value = line.partition(':')
            if name.strip() == 'model name':
                return value.strip()
    return platform.processor() or platform.machine()


def _commit() -> str | None:
    """Give the commit of a checkout, with '+' where files differ from it; None elsewhere."""
    if not (SOURCES / '.git').exists() or not shutil.which('git'):
        return None
    try:
        head = _git('rev-parse', '--short=12', 'HEAD')
        changed = _git('status', '--porcelain', '--untracked-files=no')
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ('+' if changed else '')


def _git(*arguments: str) -> str:
    finished = subprocess.run(
        ['git', '-C', str(SOURCES), *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=GIT_TIMEOUT_S,
    )
    return finished.stdout.strip()
