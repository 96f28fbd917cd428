# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes."""

from __future__ import annotations

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header

from xstreamvggt_ros.clouds import select_cloud
from xstreamvggt_ros.messages import (
    camera_info,
    confidence_image,
    depth_image,
    header_with,
    point_cloud,
    pose_stamped,
)
from xstreamvggt_ros.node import interface
from xstreamvggt_ros.node.broadcast import TransformOutput
from xstreamvggt_ros.node.frames import StampedReconstruction
from xstreamvggt_ros.node.odometry import OdometryOutput
from xstreamvggt_ros.node.qos import create_output, output_qos, wanted
from xstreamvggt_ros.node.robot import RobotPose
from xstreamvggt_ros.node.world import WorldOutputs
from xstreamvggt_ros.parameters import OutputParameters


class Outputs:
    """
    Publish reconstructions on the node's topics, each only where somebody listens.

    `parameters` gives the configuration as it is now; `world` keeps map and path.
    `publish` may be called only while the node is active.
    """

    def __init__(self, node: LifecycleNode, parameters: Callable[[], OutputParameters]) -> None:
        """Create the publishers; they send once the node is active."""
        self._node = node
        self._parameters = parameters
        self._points = create_output(node, interface.POINTS)
        self._depth = create_output(node, interface.DEPTH)
        self._camera_info = create_output(node, interface.CAMERA_INFO)
        self._confidence = create_output(node, interface.CONFIDENCE)
        self._pose = create_output(node, interface.POSE)
        self._odometry = OdometryOutput(node)
        self.world = WorldOutputs(node, parameters)
        self._tf = TransformOutput(node)
        # Not managed: the last figures are sent on the way out of the active state.
        self._diagnostics = node.create_publisher(
            DiagnosticArray, interface.DIAGNOSTICS.topic(), output_qos(interface.DIAGNOSTICS)
        )

    def publish_diagnostics(self, message: DiagnosticArray) -> None:
        """Send what the node says about itself."""
        self._diagnostics.publish(message)

    def publish(self, stamped: StampedReconstruction, robot: RobotPose, metric: bool) -> None:
        """
        Send one frame's messages; the transform first, so that the rest finds it.

        `robot` is what is known of the robot at its stamp; `metric` whether its scale is known.
        """
        parameters = self._parameters()
        in_map = header_with(stamped.stamp, parameters.map_frame)
        in_camera = header_with(stamped.stamp, stamped.camera_frame)
        reconstruction = stamped.reconstruction
        self._tf.publish(stamped, in_map, parameters, robot, metric)
        height, width = reconstruction.depth.shape
        if wanted(self._pose):
            self._pose.publish(pose_stamped(reconstruction.map_from_camera, in_map))
        if wanted(self._camera_info):
            self._camera_info.publish(
                camera_info(reconstruction.intrinsics, height, width, in_camera)
            )
        if wanted(self._depth):
            self._depth.publish(depth_image(reconstruction.depth, in_camera))
        if wanted(self._confidence):
            self._confidence.publish(confidence_image(reconstruction.confidence, in_camera))
        self._publish_odometry(stamped, in_map, robot)
        cloud = None
        if wanted(self._points) or self.world.keeps_map():
            cloud = select_cloud(
                reconstruction, parameters.confidence_percentile, parameters.point_stride
            )
        if wanted(self._points):
            self._points.publish(
                point_cloud(cloud.points, cloud.colours, cloud.confidence, in_map)
            )
        self.world.add(stamped, cloud)

    def _publish_odometry(
        self, stamped: StampedReconstruction, in_map: Header, robot: RobotPose
    ) -> None:
        """Send the odometry of the camera, or of the base in odom mode, where that is known."""
        parameters = self._parameters()
        if parameters.tf_mode != 'odom':
            self._odometry.publish(stamped, in_map, stamped.camera_frame, np.eye(4))
        elif robot.base_from_camera is not None:
            self._odometry.publish(stamped, in_map, parameters.base_frame, robot.base_from_camera)

    def destroy(self) -> None:
        """Take the publishers off the node."""
        for publisher in (
            self._points,
            self._depth,
            self._camera_info,
            self._confidence,
            self._pose,
            self._odometry.publisher,
            self.world.map_publisher,
            self.world.path_publisher,
        ):
            self._node.destroy_lifecycle_publisher(publisher)
        self._node.destroy_publisher(self._tf.publisher)
        self._node.destroy_publisher(self._diagnostics)
