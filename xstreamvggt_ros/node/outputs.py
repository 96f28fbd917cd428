# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node publishes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
from rclpy.lifecycle import LifecycleNode
from std_msgs.msg import Header, UInt32

from xstreamvggt_ros.messages import header_with, pose_stamped
from xstreamvggt_ros.messages.diagnostics import frame_report
from xstreamvggt_ros.node import interface
from xstreamvggt_ros.node.broadcast import TransformOutput
from xstreamvggt_ros.node.camera_outputs import CameraOutputs
from xstreamvggt_ros.node.odometry import OdometryOutput
from xstreamvggt_ros.node.publishers import Publishers
from xstreamvggt_ros.node.qos import wanted
from xstreamvggt_ros.node.robot import RobotPose
from xstreamvggt_ros.node.stamped import StampedReconstruction
from xstreamvggt_ros.node.world import WorldOutputs
from xstreamvggt_ros.parameters import OutputParameters
from xstreamvggt_ros.world.clouds import select_cloud


class Outputs:
    """
    Publish reconstructions on the node's topics, each only where somebody listens.

    `parameters` gives the configuration as it is now; `world` keeps map and path.
    With several `cameras`, by name, each has its own topics; pose, odometry and path are the first
    one's. `publish` may be called only while the node is active.
    """

    def __init__(
        self,
        node: LifecycleNode,
        parameters: Callable[[], OutputParameters],
        cameras: Sequence[str],
    ) -> None:
        """Create the publishers, which send once the node is active; ValueError: their QoS."""
        self._node = node
        self._parameters = parameters
        self._names = cameras if len(cameras) > 1 else ('',)
        self._publishers = Publishers(node)
        try:
            self._create(self._publishers)
        except Exception:
            # A node that is configured again makes them anew.
            self.destroy()
            raise
        self._stream_sent = 0

    def _create(self, publishers: Publishers) -> None:
        roots = [f'~/{name}' if name else '~' for name in self._names]
        self._cameras = [CameraOutputs(publishers, root) for root in roots]
        self._pose = publishers.managed(interface.POSE)
        self._odometry = OdometryOutput(publishers)
        self._stream = publishers.managed(interface.STREAM)
        self._frame = publishers.managed(interface.FRAME)
        self.world = WorldOutputs(publishers, self._parameters)
        self._tf = TransformOutput(self._node, publishers)
        # Not managed: the last figures are sent on the way out of the active state.
        self._diagnostics = publishers.unmanaged(interface.DIAGNOSTICS)

    def publish_diagnostics(self, message: DiagnosticArray) -> None:
        """Send what the node says about itself."""
        self._diagnostics.publish(message)

    def publish(self, stamped: StampedReconstruction, robot: RobotPose, metric: bool) -> None:
        """
        Send one frame's messages; the transform first, so that the rest finds it.

        Before all stands a new stream's number, behind all what is said of the frame itself.
        `robot` is what is known of the robot at its stamp; `metric` whether its scale is known.
        """
        parameters = self._parameters()
        in_map = header_with(stamped.stamp, parameters.map_frame)
        reconstruction = stamped.reconstruction
        camera = self._cameras[reconstruction.camera_index]
        self._tell_stream(stamped.stream)
        if stamped.timed:
            self._tf.publish(stamped, in_map, parameters, robot, metric)
        if reconstruction.camera_index == 0:
            if wanted(self._pose):
                self._pose.publish(pose_stamped(reconstruction.map_from_camera, in_map))
            if stamped.timed:
                self._publish_odometry(stamped, in_map, robot, metric)
        camera.publish(stamped)
        cloud = None
        if camera.wants_cloud() or self.world.keeps_map():
            cloud = select_cloud(
                reconstruction, parameters.confidence_percentile, parameters.point_stride
            )
        if camera.wants_cloud():
            camera.publish_cloud(cloud, in_map)
        self.world.add(stamped, cloud)
        if wanted(self._frame):
            self._frame.publish(self._report(stamped))

    def clear(self) -> None:
        """Forget what there is of the stream."""
        self.world.clear()
        self._tf.forget()

    def forget_transform(self) -> None:
        """Repeat no transform any more."""
        self._tf.forget()

    def repeat_transform(self) -> None:
        """Send the transform that holds between images, if there is one."""
        self._tf.repeat(self._parameters())

    def _tell_stream(self, number: int) -> None:
        """Say once that a stream begins; the number waits for those who come later."""
        if number != self._stream_sent:
            self._stream.publish(UInt32(data=number))
            self._stream_sent = number
            self._tf.forget()

    def _report(self, stamped: StampedReconstruction) -> DiagnosticArray:
        """Say of a frame what its other messages have no field for."""
        now = stamped.reconstruction
        values = {
            'stream': stamped.stream,
            'segment': now.report.segment,
            'index': now.index,
            'kept': str(now.kept).lower(),
            'camera': self._names[now.camera_index],
        }
        name = self._node.get_fully_qualified_name().lstrip('/')
        in_camera = header_with(stamped.stamp, stamped.camera_frame)
        return frame_report(values, now.report, name, in_camera)

    def _publish_odometry(
        self, stamped: StampedReconstruction, in_map: Header, robot: RobotPose, metric: bool
    ) -> None:
        """
        Send the odometry of the camera, or of the base in odom mode, where that is known.

        The mounting is in metres: added to a pose that is not `metric` it would put the base
        nowhere, in no unit.
        """
        parameters = self._parameters()
        if parameters.tf_mode != 'odom':
            self._odometry.publish(stamped, in_map, stamped.camera_frame, np.eye(4))
        else:
            mounting = robot.base_from_camera if metric else None
            self._odometry.publish(stamped, in_map, parameters.base_frame, mounting)

    def destroy(self) -> None:
        """Take the publishers off the node."""
        self._publishers.destroy()
