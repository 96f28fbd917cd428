# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""File formats, written whole or not at all: bags, point clouds, trajectories."""

from xstreamvggt_ros.files.errors import (
    InputError,
    why,
)
from xstreamvggt_ros.files.ply import (
    PlyCloud,
    write_ply,
)
from xstreamvggt_ros.files.replacing import (
    replacing,
)
from xstreamvggt_ros.files.stamped_poses import (
    nearest_stamps,
    StampedPoses,
)
from xstreamvggt_ros.files.trajectories import (
    checked_stamp,
    format_stamp,
    NotSecondsError,
    read_lines,
    read_tum,
    Trajectory,
    write_tum,
)

__all__ = [
    'checked_stamp',
    'format_stamp',
    'InputError',
    'nearest_stamps',
    'NotSecondsError',
    'PlyCloud',
    'read_lines',
    'read_tum',
    'replacing',
    'StampedPoses',
    'Trajectory',
    'why',
    'write_ply',
    'write_tum',
]
