# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""nav_msgs/Odometry and nav_msgs/Path."""

from __future__ import annotations

from collections.abc import Iterable

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Twist, Vector3
from nav_msgs.msg import Odometry, Path
import numpy as np
from std_msgs.msg import Header

from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.messages.geometry import header_with, pose_stamped, poses_stamped
from xstreamvggt_ros.world.motion import Uncertainty
from xstreamvggt_ros.world.pose_log import StampedPose

# Variance that says that nothing is known.
UNKNOWN = 1e6


def odometry(
    map_from_child: np.ndarray,
    twist: np.ndarray | None,
    seconds: float,
    uncertainty: Uncertainty | None,
    header: Header,
    child_frame_id: str,
) -> Odometry:
    """
    Build the odometry of a child frame from its rigid (4, 4); the header names the map frame.

    twist (6,): linear then angular velocity in the child frame, over the last `seconds`; None
    where there was no frame before, and then it is 0 with a variance of 1e6. Covariances are
    diagonal: the squares of `uncertainty` for the pose and, its two poses being taken as
    independent, twice that over the squared seconds for the twist; 1e6 where it is None.
    """
    message = Odometry(header=header, child_frame_id=child_frame_id)
    message.pose.pose = pose_stamped(map_from_child, header).pose
    variances = np.full(6, UNKNOWN)
    if uncertainty is not None:
        variances[:3], variances[3:] = uncertainty.position**2, uncertainty.rotation**2
    message.pose.covariance = np.diag(variances).ravel()
    known = twist is not None and uncertainty is not None
    spread = 2 * variances / seconds**2 if known else np.full(6, UNKNOWN)
    message.twist.covariance = np.diag(spread).ravel()
    if twist is not None:
        x, y, z, roll, pitch, yaw = twist.tolist()
        message.twist.twist = Twist(
            linear=Vector3(x=x, y=y, z=z), angular=Vector3(x=roll, y=pitch, z=yaw)
        )
    return message


def path(poses: Iterable[StampedPose], header: Header) -> Path:
    """Build a path; the header names the map frame, in which all poses are."""
    found = list(poses)
    if not found:
        return Path(header=header)
    headers = [header_with(time_from_ns(pose.stamp_ns), header.frame_id) for pose in found]
    # All at once: one by one, a thousand of them cost more than a frame.
    rigids = np.stack([pose.map_from_camera for pose in found])
    return Path(header=header, poses=poses_stamped(rigids, headers))


def ns_from_time(stamp: Time) -> int:
    """Give a stamp in nanoseconds."""
    return stamp.sec * NANOSECONDS + stamp.nanosec


def time_from_ns(stamp_ns: int) -> Time:
    """Give nanoseconds as a stamp."""
    sec, nanosec = divmod(stamp_ns, NANOSECONDS)
    return Time(sec=sec, nanosec=nanosec)
