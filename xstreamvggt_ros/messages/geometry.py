# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Headers, poses, transforms and camera models as messages."""

from collections.abc import Sequence

from builtin_interfaces.msg import Time
from geometry_msgs.msg import (
    Point,
    Pose,
    PoseStamped,
    Quaternion,
    Transform,
    TransformStamped,
    Vector3,
)
import numpy as np
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from xstreamvggt_ros.geometry import quaternion_from_rotation


def header_with(stamp: Time, frame_id: str) -> Header:
    """Build a header with a copy of `stamp`, bit for bit, in the frame `frame_id`."""
    return Header(stamp=Time(sec=stamp.sec, nanosec=stamp.nanosec), frame_id=frame_id)


def pose_stamped(map_from_camera: np.ndarray, header: Header) -> PoseStamped:
    """Build the pose of a camera from its rigid (4, 4); the header names the map frame."""
    return poses_stamped(map_from_camera[None], [header])[0]


def poses_stamped(map_from_camera: np.ndarray, headers: Sequence[Header]) -> list[PoseStamped]:
    """Build poses of a camera, as many as headers, from its rigid (N, 4, 4)."""
    places = map_from_camera[:, :3, 3].astype(np.float64).tolist()
    turns = quaternion_from_rotation(map_from_camera[:, :3, :3]).tolist()
    return [
        PoseStamped(
            header=header,
            pose=Pose(
                position=Point(x=place[0], y=place[1], z=place[2]),
                orientation=Quaternion(x=turn[0], y=turn[1], z=turn[2], w=turn[3]),
            ),
        )
        for header, place, turn in zip(headers, places, turns, strict=True)
    ]


def transform_stamped(
    parent_from_child: np.ndarray, header: Header, child_frame_id: str
) -> TransformStamped:
    """Build a transform for tf from a rigid (4, 4); the header names the parent frame."""
    x, y, z = (float(value) for value in parent_from_child[:3, 3])
    transform = Transform(
        translation=Vector3(x=x, y=y, z=z), rotation=_quaternion(parent_from_child)
    )
    return TransformStamped(header=header, child_frame_id=child_frame_id, transform=transform)


def camera_info(intrinsics: np.ndarray, height: int, width: int, header: Header) -> CameraInfo:
    """
    Build a pinhole CameraInfo without distortion from intrinsics (3, 3) in pixels.

    `plumb_bob` with five zeros, R the identity, P = [K | 0], as for a rectified image.
    """
    k = np.asarray(intrinsics, dtype=np.float64)
    return CameraInfo(
        header=header,
        height=height,
        width=width,
        distortion_model='plumb_bob',
        d=[0.0] * 5,
        k=k.ravel(),
        r=np.eye(3).ravel(),
        p=np.hstack([k, np.zeros((3, 1))]).ravel(),
    )


def _quaternion(transform: np.ndarray) -> Quaternion:
    x, y, z, w = (float(value) for value in quaternion_from_rotation(transform[:3, :3]))
    return Quaternion(x=x, y=y, z=z, w=w)
