# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What processes hold and spend, as Linux tells of them in /proc."""

from __future__ import annotations

from collections.abc import Iterable
import os
from pathlib import Path

KIB = 1024


def memory(pid: int) -> dict[str, int]:
    """Read what a process has in memory, in bytes by kind."""
    lines = Path(f'/proc/{pid}/status').read_text(encoding='ascii').splitlines()
    pairs = (line.split(':') for line in lines if line.startswith('Rss'))
    return {name: KIB * int(value.split()[0]) for name, value in pairs}


def processor_seconds(pid: int) -> float:
    """Read how long a process has been on a processor."""
    user, system = (int(field) for field in _fields(pid)[11:13])
    return (user + system) / os.sysconf('SC_CLK_TCK')


def family(pid: int) -> list[int]:
    """List a process and all that it started, directly or not, and that are still there."""
    children: dict[int, list[int]] = {}
    for each in _pids():
        try:
            children.setdefault(int(_fields(each)[1]), []).append(each)
        except OSError:
            continue
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def together(pids: Iterable[int]) -> tuple[int, float]:
    """Sum up anonymous memory, in bytes, and processor seconds of those that are still there."""
    held, spent = 0, 0.0
    for pid in pids:
        try:
            # One that has ended and was not waited for holds nothing.
            held += memory(pid).get('RssAnon', 0)
            spent += processor_seconds(pid)
        except OSError:
            continue
    return held, spent


def _pids() -> list[int]:
    return [int(name) for name in os.listdir('/proc') if name.isdigit()]


def _fields(pid: int) -> list[str]:
    """Read the fields of stat behind the name, the state first."""
    return Path(f'/proc/{pid}/stat').read_text(encoding='utf-8').rpartition(')')[2].split()
