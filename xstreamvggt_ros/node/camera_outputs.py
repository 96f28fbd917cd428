# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is published of one camera's images."""

from __future__ import annotations

from std_msgs.msg import Header

from xstreamvggt_ros.messages import (
    camera_info,
    confidence_image,
    depth_image,
    header_with,
    packed_cloud,
    picture_image,
    point_cloud,
)
from xstreamvggt_ros.node import interface
from xstreamvggt_ros.node.publishers import Publishers
from xstreamvggt_ros.node.qos import wanted
from xstreamvggt_ros.node.stamped import StampedReconstruction
from xstreamvggt_ros.world.clouds import Cloud


class CameraOutputs:
    """Publish cloud, picture, depth, intrinsics, confidence below `root` to whoever listens."""

    def __init__(self, publishers: Publishers, root: str) -> None:
        """Create the publishers; they send once the node is active."""
        self._points = publishers.managed(interface.POINTS, root)
        self._picture = publishers.managed(interface.PICTURE, root)
        self._depth = publishers.managed(interface.DEPTH, root)
        self._camera_info = publishers.managed(interface.CAMERA_INFO, root)
        self._confidence = publishers.managed(interface.CONFIDENCE, root)

    def wants_cloud(self) -> bool:
        """Whether `publish_cloud` has anybody to send to."""
        return wanted(self._points)

    def publish(self, stamped: StampedReconstruction) -> None:
        """Send a frame's depth and what belongs to it, at the size of output.depth_size."""
        shown = stamped.shown
        in_camera = header_with(stamped.stamp, stamped.camera_frame)
        if wanted(self._camera_info):
            self._camera_info.publish(camera_info(shown.intrinsics, *shown.size, in_camera))
        if wanted(self._picture):
            self._picture.publish(picture_image(shown.picture, in_camera))
        if wanted(self._depth):
            self._depth.publish(depth_image(shown.depth, in_camera))
        if wanted(self._confidence):
            self._confidence.publish(confidence_image(shown.confidence, in_camera))

    def publish_cloud(self, cloud: Cloud, in_map: Header) -> None:
        """Send a frame's cloud."""
        packed = cloud.packed
        if packed is not None:
            message = packed_cloud(packed.rows, packed.shape, packed.dense, in_map)
        else:
            message = point_cloud(cloud.points, cloud.colours, cloud.confidence, in_map)
        self._points.publish(message)
