# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages to be written to bags, made without ROS; poses are (4, 4), in the header's frame."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.files.typestores import typestore
from xstreamvggt_ros.geometry import quaternion_from_rotation
from xstreamvggt_ros.geometry.stamps import NANOSECONDS


def make(kind: str, *fields):
    """Make a message of a type of ROS 2, as std_msgs/msg/Float64, from its fields in order."""
    return typestore().types[kind](*fields)


def make_header(stamp_ns: int, frame_id: str):
    """Make a Header."""
    stamp = make('builtin_interfaces/msg/Time', *divmod(stamp_ns, NANOSECONDS))
    return make('std_msgs/msg/Header', stamp, frame_id)


def make_image(header, pixels: np.ndarray, encoding: str):
    """Make an Image of pixels (H, W) or (H, W, C), little-endian, as the encoding has them."""
    height, width = pixels.shape[:2]
    data = np.frombuffer(pixels.tobytes(), np.uint8)
    step = len(data) // height
    return make('sensor_msgs/msg/Image', header, height, width, encoding, 0, step, data)


def make_pinhole_info(header, size: tuple[int, int], intrinsics: np.ndarray):
    """Make the CameraInfo of images of `size`, (height, width), with K (3, 3), undistorted."""
    projection = np.concatenate([intrinsics, np.zeros((3, 1))], axis=1)
    whole = make('sensor_msgs/msg/RegionOfInterest', 0, 0, 0, 0, False)
    matrices = np.zeros(5), intrinsics.ravel(), np.eye(3).ravel(), projection.ravel()
    return make('sensor_msgs/msg/CameraInfo', header, *size, 'plumb_bob', *matrices, 0, 0, whole)


def make_pose(header, pose: np.ndarray):
    """Make a PoseStamped."""
    place = make('geometry_msgs/msg/Point', *map(float, pose[:3, 3]))
    inner = make('geometry_msgs/msg/Pose', place, _turn(pose))
    return make('geometry_msgs/msg/PoseStamped', header, inner)


def make_transform(header, child: str, pose: np.ndarray):
    """Make the TransformStamped that has a child frame at a pose."""
    place = make('geometry_msgs/msg/Vector3', *map(float, pose[:3, 3]))
    inner = make('geometry_msgs/msg/Transform', place, _turn(pose))
    return make('geometry_msgs/msg/TransformStamped', header, child, inner)


def _turn(pose: np.ndarray):
    turn = map(float, quaternion_from_rotation(pose[:3, :3]))
    return make('geometry_msgs/msg/Quaternion', *turn)
