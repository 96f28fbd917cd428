# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid motions, similarities, trees of frames and stamps: pure functions, no ROS."""

from xstreamvggt_ros.geometry.frame_names import (
    frame_name,
)
from xstreamvggt_ros.geometry.poses import (
    decode_pose_encoding,
    FIELD_OF_VIEW_RANGE,
    invert_rigid,
    map_from_camera,
    MAP_FROM_WORLD_ROTATION,
    quaternion_from_rotation,
    rigid,
    rotation_from_quaternion,
    unproject,
    world_from_camera_points,
)
from xstreamvggt_ros.geometry.similarity import (
    Similarity,
)
from xstreamvggt_ros.geometry.stamps import (
    NANOSECONDS,
)
from xstreamvggt_ros.geometry.transform_tree import (
    HISTORY_NS,
    TransformError,
    TransformMissing,
    TransformTree,
)
from xstreamvggt_ros.geometry.umeyama import (
    fit_points,
    move,
)

__all__ = [
    'decode_pose_encoding',
    'FIELD_OF_VIEW_RANGE',
    'fit_points',
    'frame_name',
    'HISTORY_NS',
    'invert_rigid',
    'map_from_camera',
    'MAP_FROM_WORLD_ROTATION',
    'move',
    'NANOSECONDS',
    'quaternion_from_rotation',
    'rigid',
    'rotation_from_quaternion',
    'Similarity',
    'TransformError',
    'TransformMissing',
    'TransformTree',
    'unproject',
    'world_from_camera_points',
]
