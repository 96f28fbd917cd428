# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the camera is and how fast it moves."""

from __future__ import annotations

from collections import deque
from statistics import median
from typing import NamedTuple

import numpy as np
from std_msgs.msg import Header

from xstreamvggt_ros.geometry import invert_rigid
from xstreamvggt_ros.intake.stamps import FEW_PERIODS
from xstreamvggt_ros.messages import ns_from_time, odometry
from xstreamvggt_ros.node.interface import ODOMETRY
from xstreamvggt_ros.node.publishers import Publishers
from xstreamvggt_ros.node.qos import wanted
from xstreamvggt_ros.node.stamped import StampedReconstruction
from xstreamvggt_ros.world.motion import body_twist, uncertainty

# The frame's usual period is the median of so many.
PERIODS = 15


class _Before(NamedTuple):
    """Where the camera was in the frame before."""

    stamp_ns: int
    map_from_camera: np.ndarray
    scale: float
    reference: tuple[int, str]


class OdometryOutput:
    """
    Publish `~/odometry`: the optical frame or the robot's base in the map, and its velocity.

    Of a stream's first pose nothing is known that holds for those before, and its covariances say
    so. RTAB-Map begins a new map where it meets that in pose and twist; a filter, such as
    robot_localization's, all but ignores the pose.
    """

    def __init__(self, publishers: Publishers) -> None:
        """Create the publisher."""
        self._publisher = publishers.managed(ODOMETRY)
        self._before: _Before | None = None
        # The stream of the newest that was sent.
        self._sent: tuple[int, str] | None = None
        # Of the newest frames, in seconds.
        self._periods: deque[float] = deque(maxlen=PERIODS)

    def publish(
        self,
        stamped: StampedReconstruction,
        in_map: Header,
        child_frame: str,
        child_from_camera: np.ndarray | None,
    ) -> None:
        """
        Send a frame's odometry if anybody listens; in the same stream it has a velocity.

        Not so after a gap of more than a few frames: the mean over it is not how it moves now.
        Where a stream begins after another, nothing ties its first pose to those before: it has
        the covariance of that, by which rtabmap knows that odometry has begun anew.

        child_from_camera: (4, 4) in metres, where the camera is on what `child_frame` names; with
        None nothing is sent, but the next velocity is since this frame.
        """
        now = stamped.reconstruction
        pose, stamp_ns = now.map_from_camera, ns_from_time(stamped.stamp)
        before = self._before
        usual = median(self._periods) if self._periods else None
        if before is not None and stamp_ns > before.stamp_ns:
            self._periods.append(1e-9 * (stamp_ns - before.stamp_ns))
        self._before = _Before(stamp_ns, pose, now.scale, (stamped.stream, now.world_axes))
        if child_from_camera is None or not wanted(self._publisher):
            return
        camera_from_child = invert_rigid(child_from_camera)
        map_from_child = pose @ camera_from_child
        twist, seconds = None, 0.0
        if before is not None and before.reference == self._before.reference:
            seconds = 1e-9 * (stamp_ns - before.stamp_ns)
        if seconds > 0 and (usual is None or seconds <= FEW_PERIODS * usual):
            earlier = before.map_from_camera.copy()
            earlier[:3, 3] *= now.scale / before.scale
            twist = body_twist(earlier @ camera_from_child, map_from_child, seconds)
        sure = uncertainty(now) if self._sent == self._before.reference else None
        self._sent = self._before.reference
        self._publisher.publish(
            odometry(map_from_child, twist, seconds, sure, in_map, child_frame)
        )
