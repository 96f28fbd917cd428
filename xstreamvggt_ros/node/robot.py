# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the robot and its camera were when an image was taken, by the robot's own transforms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rclpy.node import Node

from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.geometry.transform_tree import HISTORY_NS, TransformError, TransformMissing
from xstreamvggt_ros.messages import ns_from_time
from xstreamvggt_ros.node.seldom import Seldom
from xstreamvggt_ros.node.stamped import StampedReconstruction
from xstreamvggt_ros.node.transforms import TransformBuffer
from xstreamvggt_ros.parameters import OutputParameters


@dataclass(frozen=True, eq=False)
class RobotPose:
    """
    The robot at an image's stamp, rigid (4, 4) in metres; None where that is not known.

    base_from_camera: where the camera is mounted. odom_from_base: where the odometry has the base.
    """

    base_from_camera: np.ndarray | None = None
    odom_from_base: np.ndarray | None = None

    @property
    def odom_from_camera(self) -> np.ndarray | None:
        """Where the odometry has the camera's optical frame."""
        if self.base_from_camera is None or self.odom_from_base is None:
            return None
        return self.odom_from_base @ self.base_from_camera


class Robot:
    """
    Look up the frames of output.odom_frame and output.base_frame while they are of use.

    What cannot be found is a warning that names the frames and the fix, at most every few
    seconds, and is told by `problem`. `parameters` gives the configuration as it is now,
    `estimating` says whether the scale is yet to be found by the odometry.
    """

    def __init__(
        self,
        node: Node,
        parameters: Callable[[], OutputParameters],
        estimating: Callable[[], bool],
    ) -> None:
        """Begin to listen, if there is any use for it."""
        self._node = node
        self._parameters = parameters
        self._estimating = estimating
        self._buffer: TransformBuffer | None = None
        self._problem = ''
        # By what is looked up: names come with the images, and could be any number.
        self._missing: dict[str, tuple[str, str]] = {}
        self._seldom = Seldom()
        self.follow()

    @property
    def problem(self) -> str | None:
        """What is missing for the newest image, '' if nothing, None while nothing is wanted."""
        return self._problem if self._wanted() else None

    def follow(self) -> None:
        """Listen, or cease to, as it now is of use; for the executor's thread."""
        wanted = self._wanted()
        if wanted and self._buffer is None:
            self._buffer = TransformBuffer(self._node, lambda: self._parameters().map_frame)
        elif not wanted:
            self.destroy()

    def destroy(self) -> None:
        """Cease to listen."""
        buffer, self._buffer = self._buffer, None
        if buffer is not None:
            buffer.destroy()

    def look(self, stamped: StampedReconstruction) -> RobotPose:
        """
        Find the robot at the stamp of the first camera's image; for the worker's thread.

        What is not known yet is waited for until output.tf_timeout after the image came. Frames
        that nothing connects are waited for once, so that they do not slow down every image.
        """
        buffer, parameters = self._buffer, self._parameters()
        if buffer is None or stamped.reconstruction.camera_index or not self._wanted():
            return RobotPose()
        if not stamped.timed and ns_from_time(stamped.stamp):
            # Nothing is broadcast of it.
            return RobotPose()
        odom, base, camera = parameters.odom_frame, parameters.base_frame, stamped.camera_frame
        wanted = {
            'base_from_camera': ((base, camera), _mounting_fix(base, camera)),
            'odom_from_base': ((odom, base), _odometry_fix(odom, base)),
        }
        found, problems = {}, []
        for what, (pair, fix) in wanted.items():
            try:
                found[what] = self._find(buffer, what, pair, stamped, parameters.tf_timeout)
            except TransformError as error:
                problems.append(f'no transform {" -> ".join(pair)} for an image: {error}; {fix}')
                self._warn(what, problems[-1])
        # Of two, the first explains more: without the mounting, odometry is of no use.
        self._problem = problems[0] if problems else ''
        return RobotPose(**found)

    def _wanted(self) -> bool:
        return self._parameters().tf_mode == 'odom' or self._estimating()

    def _find(
        self,
        buffer: TransformBuffer,
        what: str,
        pair: tuple[str, str],
        stamped: StampedReconstruction,
        timeout: float,
    ) -> np.ndarray:
        """Look up a parent and child; waits until `timeout` seconds after the image came."""
        stamp_ns = ns_from_time(stamped.stamp)
        if not stamp_ns:
            # To tf2 that means the newest.
            raise TransformError('the images have no stamp; publish them with one')
        until = stamped.arrived + timeout
        if self._missing.pop(what, None) == pair:
            until = 0.0
        try:
            return buffer.lookup(*pair, stamp_ns, until)
        except TransformMissing:
            self._missing[what] = pair
            raise

    def _warn(self, what: str, problem: str) -> None:
        if self._seldom.admits(what):
            self._node.get_logger().warning(problem)


def _mounting_fix(base: str, camera: str) -> str:
    return (
        'tell how the camera is mounted on /tf_static (robot_state_publisher, or ros2 run tf2_ros '
        f'static_transform_publisher --frame-id {base} --child-frame-id {camera}), or correct '
        'output.base_frame or output.camera_frame'
    )


def _odometry_fix(odom: str, base: str) -> str:
    return (
        f"start the robot's odometry, which broadcasts {odom} -> {base}, or correct "
        'output.odom_frame or output.base_frame; raise output.tf_timeout where it comes late, and '
        f'use input.queue newest where images wait for more than {HISTORY_NS // NANOSECONDS} s'
    )
