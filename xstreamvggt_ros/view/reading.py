# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node's messages as what there is to show; of rclpy or of a bag, which are alike."""

from __future__ import annotations

import math

import numpy as np

from xstreamvggt_ros.messages import read_points
from xstreamvggt_ros.view.contents import FAR, Lens, Points, Pose, Said

# A page is not asked to show more, whatever a message says of itself.
MOST_PIXELS = 16_777_216
# What a JPEG may have along a side, as which pictures are sent to browsers.
MOST_SIDE = 65_500


def points_of(message) -> Points:
    """Read a PointCloud2; ValueError where it is not one of the node's."""
    cloud = read_points(message)
    return Points(cloud.points, cloud.rgb, cloud.confidence)


def picture_of(message) -> np.ndarray:
    """Read an Image of rgb8 into (H, W, 3) uint8; ValueError where it is another."""
    if message.encoding != 'rgb8':
        raise ValueError(f'an image is {message.encoding!r}, not rgb8')
    return _pixels(message, np.dtype('u1'), 3)


def map_of(message) -> np.ndarray:
    """Read an Image of 32FC1 into (H, W) float32; ValueError where it is another."""
    if message.encoding != '32FC1':
        raise ValueError(f'a map is {message.encoding!r}, not 32FC1')
    return _pixels(message, np.dtype('>f4' if message.is_bigendian else '<f4'), 1)[..., 0]


def lens_of(message) -> Lens:
    """Read a CameraInfo; ValueError where it has no focal length or no pixels."""
    intrinsics = np.array(message.k, dtype=np.float64).reshape(3, 3)
    if not (np.isfinite(intrinsics).all() and intrinsics[0, 0] > 0 and intrinsics[1, 1] > 0):
        raise ValueError(f'a CameraInfo has no focal length: k is {intrinsics.ravel().tolist()}')
    lens = Lens(intrinsics, int(message.height), int(message.width))
    with np.errstate(over='ignore', under='ignore', invalid='ignore'):
        if not (_has_pixels(message) and lens.fov > 0 and 0 < lens.aspect < math.inf):
            raise ValueError(
                f'a CameraInfo is of {lens.width}x{lens.height} pixels with focal lengths '
                f'{intrinsics[0, 0]:g} and {intrinsics[1, 1]:g}'
            )
    return lens


def pose_of(message) -> Pose:
    """Read a geometry_msgs/Pose or Transform; ValueError where it is not finite, or beyond FAR."""
    place = getattr(message, 'position', None) or message.translation
    turn = getattr(message, 'orientation', None) or message.rotation
    position = np.array([place.x, place.y, place.z], dtype=np.float64)
    quaternion = np.array([turn.x, turn.y, turn.z, turn.w], dtype=np.float64)
    with np.errstate(over='ignore'):
        length = float(np.linalg.norm(quaternion))
    if not (near(position).all() and math.isfinite(length) and length > 0):
        raise ValueError(f'a pose is at {position.tolist()}, turned by {quaternion.tolist()}')
    return Pose(position, quaternion / length)


def path_of(message) -> np.ndarray:
    """Read a Path's positions (N, 3) float32, those that are finite and not beyond FAR."""
    places = [each.pose.position for each in message.poses]
    found = np.array([(p.x, p.y, p.z) for p in places], np.float64).reshape(-1, 3)
    return found[near(found).all(axis=1)].astype(np.float32)


def near(metres: np.ndarray) -> np.ndarray:
    """Say of each number whether it is finite and not beyond FAR."""
    return np.abs(metres) <= FAR


def said_of(message, node: str) -> Said | None:
    """
    Read what a node says of its stream in a DiagnosticArray, None where it says nothing.

    By its whole name: robots of one fleet say the same of theirs on one topic.
    """
    name = f'{node.strip("/")}: reconstruction'
    for status in message.status:
        if status.name.lstrip('/') == name:
            level = status.level
            level = level[0] if isinstance(level, bytes) else int(level)
            return Said(level, status.message, {pair.key: pair.value for pair in status.values})
    return None


def _has_pixels(message) -> bool:
    height, width = int(message.height), int(message.width)
    return 0 < height * width <= MOST_PIXELS and max(height, width) <= MOST_SIDE


def _pixels(message, kind: np.dtype, channels: int) -> np.ndarray:
    height, width, step = int(message.height), int(message.width), int(message.step)
    row = width * channels * kind.itemsize
    if not _has_pixels(message) or step < row or len(message.data) < height * step:
        raise ValueError(
            f'an image of {width}x{height} {message.encoding} has step {step} and '
            f'{len(message.data)} bytes'
        )
    rows = np.frombuffer(message.data, np.uint8, count=height * step).reshape(height, step)
    values = np.ascontiguousarray(rows[:, :row]).view(kind).reshape(height, width, channels)
    return values.astype(kind.newbyteorder('='), copy=False)
