# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one transform that the node adds to /tf."""

from __future__ import annotations

import time

from geometry_msgs.msg import TransformStamped
import numpy as np
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.geometry import invert_rigid
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.messages import header_with, ns_from_time, time_from_ns, transform_stamped
from xstreamvggt_ros.node.interface import TRANSFORMS
from xstreamvggt_ros.node.publishers import Publishers
from xstreamvggt_ros.node.qos import wanted
from xstreamvggt_ros.node.robot import RobotPose
from xstreamvggt_ros.node.stamped import StampedReconstruction
from xstreamvggt_ros.node.standing import Standing, StandingTransform
from xstreamvggt_ros.parameters import OutputParameters


class TransformOutput:
    """
    Broadcast map to optical frame, or map to odometry, as output.tf_mode says.

    The latter goes on to hold between two images: it is dated ahead by output.tf_tolerance, and
    `repeat` is to be called often in between. The publisher is no lifecycle publisher (no other
    node's is), so both may be called only while the node is active.
    """

    def __init__(self, node: LifecycleNode, publishers: Publishers) -> None:
        """Create the publisher."""
        self._publisher = publishers.unmanaged(TRANSFORMS)
        self._clock = node.get_clock()
        self._standing = StandingTransform()

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
        if parameters.tf_mode != 'odom':
            self.forget()
        pose = stamped.reconstruction.map_from_camera
        if parameters.tf_mode == 'camera' and wanted(self._publisher):
            self._send(transform_stamped(pose, in_map, stamped.camera_frame))
        elif parameters.tf_mode == 'odom' and metric and robot.odom_from_camera is not None:
            map_from_odom = pose @ invert_rigid(robot.odom_from_camera)
            at_image = transform_stamped(map_from_odom, in_map, parameters.odom_frame)
            self._standing.set(self._since(stamped, at_image, map_from_odom))
            if wanted(self._publisher):
                self._send(at_image, *self._ahead(parameters))

    def forget(self) -> None:
        """Repeat nothing of what was until now: another stream begins."""
        self._standing.set(None)

    def repeat(self, parameters: OutputParameters) -> None:
        """Send what holds until the next image, where that is map to odometry."""
        if parameters.tf_mode != 'odom':
            # By the time that it is set again the robot is elsewhere.
            self.forget()
        elif wanted(self._publisher):
            ahead = self._ahead(parameters)
            if ahead:
                self._send(*ahead)

    def _since(
        self, stamped: StampedReconstruction, at_image: TransformStamped, matrix: np.ndarray
    ) -> Standing:
        """Have a transform stand since its image was taken in."""
        waited_ns = round(NANOSECONDS * (time.monotonic() - stamped.arrived))
        return Standing(
            at_image.header.frame_id,
            at_image.child_frame_id,
            matrix,
            ns_from_time(stamped.stamp),
            self._clock.now().nanoseconds - waited_ns,
        )

    def _ahead(self, parameters: OutputParameters) -> list[TransformStamped]:
        """Date what stands ahead, if the frames are still those."""
        if not parameters.tf_tolerance:
            return []
        found = self._standing.dated(self._clock.now().nanoseconds, parameters.tf_tolerance)
        if found is None:
            return []
        standing, stamp_ns = found
        if (standing.parent, standing.child) != (parameters.map_frame, parameters.odom_frame):
            return []
        header = header_with(time_from_ns(stamp_ns), standing.parent)
        return [transform_stamped(standing.matrix, header, standing.child)]

    def _send(self, *transforms: TransformStamped) -> None:
        self._publisher.publish(TFMessage(transforms=list(transforms)))
