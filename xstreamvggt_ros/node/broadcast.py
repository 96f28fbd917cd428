# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one transform that the node adds to /tf."""

from __future__ import annotations

from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.geometry import invert_rigid
from xstreamvggt_ros.messages import transform_stamped
from xstreamvggt_ros.node.frame_reader import StampedReconstruction
from xstreamvggt_ros.node.interface import TRANSFORMS
from xstreamvggt_ros.node.qos import create_unmanaged_output, wanted
from xstreamvggt_ros.node.robot import RobotPose
from xstreamvggt_ros.parameters import OutputParameters


class TransformOutput:
    """
    Broadcast map to optical frame, or map to odometry, as output.tf_mode says.

    The publisher is no lifecycle publisher (no other node's is), so `publish` may be called only
    while the node is active.
    """

    def __init__(self, node: LifecycleNode) -> None:
        """Create the publisher."""
        self.publisher = create_unmanaged_output(node, TRANSFORMS)

    def publish(
        self,
        stamped: StampedReconstruction,
        in_map: Header,
        parameters: OutputParameters,
        robot: RobotPose,
        metric: bool,
    ) -> None:
        """
        Send a frame's transform if anybody listens.

        Odometry is in metres: unless the frame is `metric`, and wherever the robot's own
        transforms are not known, nothing is said of it.
        """
        if not wanted(self.publisher):
            return
        pose = stamped.reconstruction.map_from_camera
        if parameters.tf_mode == 'camera':
            self._send(transform_stamped(pose, in_map, stamped.camera_frame))
        elif parameters.tf_mode == 'odom' and metric and robot.odom_from_camera is not None:
            map_from_odom = pose @ invert_rigid(robot.odom_from_camera)
            self._send(transform_stamped(map_from_odom, in_map, parameters.odom_frame))

    def _send(self, transform) -> None:
        self.publisher.publish(TFMessage(transforms=[transform]))
