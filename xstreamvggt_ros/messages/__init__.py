# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS messages to and from arrays: pure functions, no node, no rclpy."""

from xstreamvggt_ros.messages.clouds import CloudPoints, packed_cloud, point_cloud, read_points
from xstreamvggt_ros.messages.geometry import (
    camera_info,
    header_with,
    pose_stamped,
    transform_stamped,
)
from xstreamvggt_ros.messages.images import confidence_image, depth_image, picture_image
from xstreamvggt_ros.messages.odometry import ns_from_time, odometry, path, time_from_ns

__all__ = [
    'CloudPoints',
    'camera_info',
    'confidence_image',
    'depth_image',
    'header_with',
    'ns_from_time',
    'odometry',
    'packed_cloud',
    'picture_image',
    'path',
    'point_cloud',
    'pose_stamped',
    'read_points',
    'time_from_ns',
    'transform_stamped',
]
