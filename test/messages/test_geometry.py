# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Headers, poses, transforms and camera models."""

from builtin_interfaces.msg import Time
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from std_msgs.msg import Header

from xstreamvggt_ros.geometry import map_from_camera
from xstreamvggt_ros.messages import (
    camera_info,
    header_with,
    path,
    pose_stamped,
    transform_stamped,
)
from xstreamvggt_ros.world.pose_log import StampedPose

HEADER = Header(frame_id='map')
# One metre ahead of the first camera and half a metre below it.
POSE = map_from_camera(np.array([[1.0, 0, 0, 0], [0, 1, 0, -0.5], [0, 0, 1, -1]]))


@pytest.mark.parametrize('stamp', [(0, 0), (-1, 1), (2**31 - 1, 999_999_999)])
def test_a_header_copies_the_stamp(stamp):
    source = Time(sec=stamp[0], nanosec=stamp[1])
    header = header_with(source, 'camera')
    assert (header.stamp, header.frame_id) == (source, 'camera')
    source.sec = 5
    assert header.stamp.sec == stamp[0]


def _numbers(message):
    return [getattr(message, name) for name in message.get_fields_and_field_types()]


def test_a_pose_is_the_cameras_in_the_map():
    message = pose_stamped(POSE, HEADER)
    assert message.header == HEADER
    np.testing.assert_allclose(_numbers(message.pose.position), [1, 0, -0.5], atol=1e-12)
    orientation = _numbers(message.pose.orientation)
    np.testing.assert_allclose(orientation, [-0.5, 0.5, -0.5, 0.5], atol=1e-12)


def test_a_transform_is_from_parent_to_child():
    message = transform_stamped(POSE, HEADER, 'camera_optical')
    assert message.header == HEADER
    assert message.child_frame_id == 'camera_optical'
    np.testing.assert_allclose(_numbers(message.transform.translation), [1, 0, -0.5], atol=1e-12)
    rotation = _numbers(message.transform.rotation)
    np.testing.assert_allclose(rotation, [-0.5, 0.5, -0.5, 0.5], atol=1e-12)


def test_camera_info_is_a_pinhole_without_distortion():
    intrinsics = np.array([[500, 0, 259], [0, 510, 196], [0, 0, 1]], dtype=np.float32)
    message = camera_info(intrinsics, 392, 518, HEADER)
    assert message.header == HEADER
    assert (message.height, message.width) == (392, 518)
    assert message.distortion_model == 'plumb_bob'
    assert list(message.d) == [0] * 5
    assert list(message.k) == [500, 0, 259, 0, 510, 196, 0, 0, 1]
    assert list(message.r) == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert list(message.p) == [500, 0, 259, 0, 0, 510, 196, 0, 0, 0, 1, 0]


def test_a_path_has_every_pose_as_it_is_told_alone():
    rng = np.random.default_rng(0)
    rigids = np.tile(np.eye(4), (20, 1, 1))
    rigids[:, :3, :3] = Rotation.random(20, random_state=0).as_matrix()
    rigids[:, :3, 3] = rng.normal(size=(20, 3))
    poses = [StampedPose(10**9 + index, rigid) for index, rigid in enumerate(rigids)]
    header = header_with(Time(sec=7), 'map')

    told = path(iter(poses), header)

    assert told.header == header
    for pose, message in zip(poses, told.poses, strict=True):
        stamp = Time(sec=1, nanosec=pose.stamp_ns - 10**9)
        assert message == pose_stamped(pose.map_from_camera, header_with(stamp, 'map'))
    assert not path([], header).poses
