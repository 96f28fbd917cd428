# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who looks on gives way to who works."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
import os
from pathlib import Path

LAST = 19
TASKS, AUTOGROUP = Path('/proc/self/task'), Path('/proc/self/autogroup')


def threads() -> frozenset[int]:
    """Return the numbers of this process's threads; none where the system does not tell."""
    return frozenset(int(each.name) for each in TASKS.iterdir()) if TASKS.exists() else frozenset()


def give_way(nice: int, but: Collection[int] = ()) -> None:
    """
    Have this process's threads, all `but` some, run behind others by `nice` from now on.

    Threads that they start do so too. 0 changes nothing, 19 takes what nobody else wants
    (sched(7) of Linux).
    """
    if not nice:
        return
    level = min(LAST, os.nice(0) + nice)
    for thread in threads() - set(but):
        # It has ended, or stands further back already.
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, thread, level)
    # A desktop weighs whole sessions against one another, whatever is nice within. This process's
    # own may be made to give way; that of a terminal belongs to others too.
    if os.getsid(0) == os.getpid() and AUTOGROUP.exists():
        # Linux takes ten a second of a process that is not root's, and a container's /proc none.
        with suppress(OSError):
            AUTOGROUP.write_text(str(nice), encoding='ascii')
