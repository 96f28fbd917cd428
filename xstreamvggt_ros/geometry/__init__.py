# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rigid motions, similarities, trees of frames and stamps: pure functions, no ROS."""

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

__all__ = [
    'decode_pose_encoding',
    'FIELD_OF_VIEW_RANGE',
    'invert_rigid',
    'map_from_camera',
    'MAP_FROM_WORLD_ROTATION',
    'quaternion_from_rotation',
    'rigid',
    'rotation_from_quaternion',
    'unproject',
    'world_from_camera_points',
]
