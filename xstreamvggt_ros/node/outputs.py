# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes."""

from __future__ import annotations

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos_overriding_options import QoSOverridingOptions
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.clouds import select_cloud
from xstreamvggt_ros.messages import (
    camera_info,
    confidence_image,
    depth_image,
    header_with,
    point_cloud,
    pose_stamped,
    transform_stamped,
)
from xstreamvggt_ros.node import interface
from xstreamvggt_ros.node.frames import StampedReconstruction
from xstreamvggt_ros.node.odometry import OdometryOutput
from xstreamvggt_ros.node.qos import create_output, output_qos, wanted
from xstreamvggt_ros.node.world import WorldOutputs
from xstreamvggt_ros.parameters import OutputParameters


class Outputs:
    """
    Publish reconstructions on the node's topics, each only where somebody listens.

    `parameters` gives the configuration as it is now; `world` keeps map and path. The
    transform's publisher is no lifecycle publisher (no other node's is), so `publish` may be
    called only while the node is active.
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
        self._tf = node.create_publisher(
            TFMessage,
            interface.TRANSFORMS.topic(),
            output_qos(interface.TRANSFORMS),
            qos_overriding_options=QoSOverridingOptions.with_default_policies(),
        )
        # Not managed: the last figures are sent on the way out of the active state.
        self._diagnostics = node.create_publisher(
            DiagnosticArray, interface.DIAGNOSTICS.topic(), output_qos(interface.DIAGNOSTICS)
        )

    def publish_diagnostics(self, message: DiagnosticArray) -> None:
        """Send what the node says about itself."""
        self._diagnostics.publish(message)

    def publish(self, stamped: StampedReconstruction) -> None:
        """Send one frame's messages; the transform first, so that the rest finds it."""
        parameters = self._parameters()
        in_map = header_with(stamped.stamp, parameters.map_frame)
        in_camera = header_with(stamped.stamp, stamped.camera_frame)
        reconstruction = stamped.reconstruction
        if parameters.tf_mode == 'camera' and wanted(self._tf):
            self._tf.publish(
                TFMessage(
                    transforms=[
                        transform_stamped(
                            reconstruction.map_from_camera, in_map, stamped.camera_frame
                        )
                    ]
                )
            )
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
        self._odometry.publish(stamped, in_map)
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
        self._node.destroy_publisher(self._tf)
        self._node.destroy_publisher(self._diagnostics)
