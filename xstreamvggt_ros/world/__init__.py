# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of a stream: clouds, map, path, motion, and all of it on disk."""

from xstreamvggt_ros.world.accumulation import (
    Accumulation,
)
from xstreamvggt_ros.world.clouds import (
    Cloud,
    select_cloud,
)
from xstreamvggt_ros.world.mapping import (
    BYTES_PER_POINT,
    VoxelMap,
)
from xstreamvggt_ros.world.motion import (
    body_twist,
    Uncertainty,
    uncertainty,
)
from xstreamvggt_ros.world.pose_log import (
    PoseLog,
    StampedPose,
)
from xstreamvggt_ros.world.saving import (
    save_stream,
    versions,
)

__all__ = [
    'Accumulation',
    'body_twist',
    'BYTES_PER_POINT',
    'Cloud',
    'PoseLog',
    'save_stream',
    'select_cloud',
    'StampedPose',
    'uncertainty',
    'Uncertainty',
    'versions',
    'VoxelMap',
]
