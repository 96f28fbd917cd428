# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that wait, their order and the thread that takes them; no ROS."""

from xstreamvggt_ros.intake.arrivals import (
    Arrival,
    Arrivals,
    InStampOrder,
    InTurn,
)
from xstreamvggt_ros.intake.bounded import (
    BoundedWork,
    Result,
    TookTooLong,
)
from xstreamvggt_ros.intake.counters import (
    CameraCounts,
    Counters,
    Counts,
)
from xstreamvggt_ros.intake.recent import (
    RECENT,
    Recent,
    RecentCounts,
)
from xstreamvggt_ros.intake.stamps import (
    FEW_PERIODS,
    LOOP_BACK,
    StampJudge,
    StampJudges,
    Timing,
)
from xstreamvggt_ros.intake.worker import (
    Job,
    Mailbox,
    Stages,
    Worker,
    WORKER_THREAD,
    WorkerBusy,
)

__all__ = [
    'Arrival',
    'Arrivals',
    'BoundedWork',
    'CameraCounts',
    'Counters',
    'Counts',
    'FEW_PERIODS',
    'InStampOrder',
    'InTurn',
    'Job',
    'LOOP_BACK',
    'Mailbox',
    'RECENT',
    'Recent',
    'RecentCounts',
    'Result',
    'Stages',
    'StampJudge',
    'StampJudges',
    'Timing',
    'TookTooLong',
    'Worker',
    'WORKER_THREAD',
    'WorkerBusy',
]
