# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who looks on gives way to who works."""

from __future__ import annotations

import os
from pathlib import Path

AUTOGROUP = Path('/proc/self/autogroup')


def give_way(nice: int) -> None:
    """
    Have this process, and the threads that it starts from now on, run behind others by `nice`.

    0 changes nothing, 19 takes what nobody else wants (sched(7) of Linux).
    """
    os.nice(nice)
    # A desktop weighs whole sessions against one another, whatever is nice within. This process's
    # own may be made to give way; that of a terminal belongs to others too.
    if nice and os.getsid(0) == os.getpid() and AUTOGROUP.exists():
        AUTOGROUP.write_text(str(nice), encoding='ascii')
