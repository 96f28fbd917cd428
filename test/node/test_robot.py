# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot's own transforms: map to odometry, and the base's odometry, over DDS."""

import time

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from networks import flat_frame, Scripted
import numpy as np
import pytest
from ros_rig import DEADLINE, header, image_message, picture
from scipy.spatial.transform import Rotation
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
import torch
from transforms import at, Broadcaster, matrix, OPTICAL

from xstreamvggt_ros.geometry import invert_rigid, rigid

pytestmark = pytest.mark.ros
POSE, ODOMETRY = '/reconstruction/pose', '/reconstruction/odometry'
# Long enough for whatever the machine does besides.
MODE = {'output.tf_mode': 'odom', 'output.tf_timeout': 10.0, 'output.tf_tolerance': 0.0}
# The camera looks along the base's x axis, half a metre ahead of it and 0.3 m up.
MOUNTED = rigid(OPTICAL, np.array([0.5, 0.0, 0.3]))


def going_right(index, image):
    """Answer with a camera that goes a unit to its right with every frame."""
    camera_from_world = torch.eye(4)[:3].clone()
    camera_from_world[0, 3] = -float(index)
    return flat_frame(*image.shape[-2:], camera_from_world=camera_from_world)


def driving(seconds):
    """Tell where the odometry has the base: on its way, turned as it goes."""
    rotation = Rotation.from_euler('z', 0.1 * seconds).as_matrix()
    return rigid(rotation, np.array([2.0, -0.5 * seconds, 0.0]))


def ours(messages):
    """Give the transforms that the node has sent."""
    found = [transform for message in messages for transform in message.transforms]
    return [transform for transform in found if transform.header.frame_id == 'map']


def status(diagnostics):
    (found,) = diagnostics[-1].status
    return found, {pair.key: pair.value for pair in found.values}


@pytest.fixture
def robot_of(active):
    """Make a rig in odom mode and the robot's own broadcaster."""

    def make(parameters=None, network=None):
        rig = active({**MODE, **(parameters or {})}, network or Scripted(going_right))
        return rig, Broadcaster(rig)

    return make


def test_map_to_odom_closes_the_chain_to_the_camera_at_the_image_s_stamp(robot_of):
    rig, robot = robot_of()
    transforms = rig.collect(TFMessage, '/tf')
    poses, odometry = rig.collect(PoseStamped, POSE), rig.collect(Odometry, ODOMETRY)
    robot.mount('base_link', 'camera', MOUNTED)
    for seconds in (1.0, 2.0, 3.0, 4.0):
        robot.move('odom', 'base_link', seconds, driving(seconds))
    images = [image_message(picture(), stamp) for stamp in (1.0, 2.0, 4.0)]
    rig.feed(images, poses, odometry)
    rig.wait(lambda: len(ours(transforms)) == 3, 'three transforms')

    for index, (transform, pose, base) in enumerate(
        zip(ours(transforms), poses, odometry, strict=True)
    ):
        assert transform.header == pose.header == base.header
        assert transform.header.stamp == images[index].header.stamp
        assert (transform.child_frame_id, base.child_frame_id) == ('odom', 'base_link')
        map_from_camera = at(pose.pose)
        map_from_odom = matrix(transform.transform)
        seconds = pose.header.stamp.sec
        np.testing.assert_allclose(
            map_from_odom @ driving(seconds) @ MOUNTED, map_from_camera, atol=1e-6
        )
        # The base is rigidly behind its camera, wherever the odometry has it.
        np.testing.assert_allclose(at(base.pose.pose) @ MOUNTED, map_from_camera, atol=1e-6)
    # To the camera's right is the base's -y: a metre in a second, then a metre in two.
    assert [message.twist.twist.linear.y for message in odometry] == pytest.approx([0, -1, -0.5])


def test_between_two_broadcasts_the_pose_is_interpolated(robot_of):
    rig, robot = robot_of({'output.world_axes': 'optical'}, Scripted())
    transforms = rig.collect(TFMessage, '/tf')
    robot.mount('base_link', 'camera', np.eye(4))
    robot.move('odom', 'base_link', 1.0, rigid(np.eye(3), np.array([1.0, 0, 0])))
    robot.move('odom', 'base_link', 2.0, rigid(np.eye(3), np.array([3.0, 0, 0])))
    rig.publish(image_message(picture(), 1.25))
    rig.wait(lambda: ours(transforms), 'the transform')

    assert ours(transforms)[0].transform.translation.x == pytest.approx(-1.5)


def test_a_transform_that_comes_late_is_waited_for_while_the_node_answers(robot_of):
    rig, robot = robot_of()
    transforms = rig.collect(TFMessage, '/tf')
    poses = rig.collect(PoseStamped, POSE)
    robot.mount('base_link', 'camera', MOUNTED)
    robot.move('odom', 'base_link', 1.0, driving(1.0))
    rig.feed([image_message(picture(), 1.0)], poses)
    rig.publish(image_message(picture(), 2.0))
    rig.wait(lambda: rig.network.steps == 2, 'the image in hand')

    # The executor is free, though the worker waits.
    assert rig.set('output.point_stride', 2).successful
    assert len(poses) == 1
    robot.move('odom', 'base_link', 2.0, driving(2.0))
    rig.wait(lambda: len(ours(transforms)) == 2, 'the transform')


def test_a_camera_that_nobody_mounted_is_told_with_the_fix(robot_of):
    rig, robot = robot_of({'output.tf_timeout': 0.0})
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    transforms = rig.collect(TFMessage, '/tf')
    poses, odometry = rig.collect(PoseStamped, POSE), rig.collect(Odometry, ODOMETRY)
    robot.move('odom', 'base_link', 1.0, driving(1.0))
    rig.feed([image_message(picture(), 1.0)], poses)

    rig.wait_for_log('no transform base_link -> camera')
    rig.wait(
        lambda: diagnostics and 'base_link -> camera' in status(diagnostics)[1]['transforms'],
        'the diagnostic',
    )
    found, values = status(diagnostics)
    assert found.level == DiagnosticStatus.WARN
    assert 'static_transform_publisher --frame-id base_link --child-frame-id camera' in (
        found.message
    )
    assert values['frames_dropped'] == '0'
    assert not ours(transforms) and not odometry

    robot.mount('base_link', 'camera', MOUNTED)
    for stamp in (1e4, 1e4 + 1):
        robot.move('odom', 'base_link', stamp, driving(1.0))
    stamp, end = 1e4, time.monotonic() + DEADLINE
    while not ours(transforms):
        # The transforms arrive when they arrive, and an image has a TF once at its stamp.
        assert time.monotonic() < end, rig.log()
        stamp += 1e-4
        rig.feed([image_message(picture(), stamp, 'camera')], poses)
    rig.wait(lambda: status(diagnostics)[1]['transforms'] == 'ok', 'the diagnostic')


def test_without_odometry_only_the_base_s_pose_is_known(robot_of):
    rig, robot = robot_of({'output.tf_timeout': 0.0, 'output.odom_frame': 'wheels'})
    transforms = rig.collect(TFMessage, '/tf')
    odometry = rig.collect(Odometry, ODOMETRY)
    poses = rig.collect(PoseStamped, POSE)
    robot.mount('base_link', 'camera', MOUNTED)
    stamp = 0
    while not odometry:
        stamp += 1
        rig.feed([image_message(picture(), float(stamp))], poses)

    rig.wait_for_log('no transform wheels -> base_link')
    assert odometry[0].child_frame_id == 'base_link'
    assert not ours(transforms)


def test_frames_that_nothing_connects_are_waited_for_once(robot_of):
    rig, robot = robot_of({'output.tf_timeout': 1.0})
    poses = rig.collect(PoseStamped, POSE)
    robot.move('odom', 'base_link', 1.0, driving(1.0))
    robot.move('odom', 'base_link', 9.0, driving(9.0))
    began = time.monotonic()
    rig.feed([image_message(picture(), 1.0)], poses)
    assert time.monotonic() - began >= 1.0

    began = time.monotonic()
    rig.feed([image_message(picture(), stamp) for stamp in (2.0, 3.0, 4.0, 5.0)], poses)
    assert time.monotonic() - began < 4.0


def test_images_without_a_stamp_have_no_transform(robot_of):
    rig, robot = robot_of()
    poses = rig.collect(PoseStamped, POSE)
    robot.mount('base_link', 'camera', MOUNTED)
    rig.feed([image_message(picture(), 0.0)], poses)

    rig.wait_for_log('the images have no stamp')


def test_the_mode_can_be_changed_while_active(robot_of):
    rig, robot = robot_of({'output.tf_mode': 'camera'})
    transforms = rig.collect(TFMessage, '/tf')
    poses = rig.collect(PoseStamped, POSE)
    rig.feed([image_message(picture(), 1.0)], poses, transforms)
    assert [each.child_frame_id for each in ours(transforms)] == ['camera']

    assert rig.set('output.tf_mode', 'odom').successful
    robot.mount('base_link', 'camera', MOUNTED)
    robot.move('odom', 'base_link', 2.0, driving(2.0))
    rig.feed([image_message(picture(), 2.0)], poses)
    rig.wait(lambda: len(ours(transforms)) == 2, 'the transform')
    assert ours(transforms)[1].child_frame_id == 'odom'
    refused = rig.set('output.base_frame', 'odom')
    assert not refused.successful and 'output.base_frame' in refused.reason

    assert rig.set('output.tf_mode', 'camera').successful
    rig.feed([image_message(picture(), 3.0)], poses)
    rig.wait(lambda: len(ours(transforms)) == 3, 'the transform')
    assert header(3.0).stamp == ours(transforms)[2].header.stamp
    np.testing.assert_allclose(
        invert_rigid(matrix(ours(transforms)[2].transform)) @ at(poses[2].pose),
        np.eye(4),
        atol=1e-6,
    )


def seconds_of(stamp):
    return stamp.sec + 1e-9 * stamp.nanosec


@pytest.mark.parametrize('clock', ['the same', 'of a bag'])
def test_map_to_odom_is_there_for_the_newest_odometry(robot_of, clock):
    tolerance = 0.5
    rig, robot = robot_of({'output.tf_tolerance': tolerance})
    transforms, poses = rig.collect(TFMessage, '/tf'), rig.collect(PoseStamped, POSE)
    robot.mount('base_link', 'camera', MOUNTED)
    began = time.time() if clock == 'the same' else 1000.0
    at_start = time.monotonic()
    robot.move('odom', 'base_link', began, driving(0.0))
    rig.feed([image_message(picture(), began)], poses)
    rig.wait(lambda: len(ours(transforms)) >= 8, 'repeated transforms')

    exact, *ahead = [seconds_of(each.header.stamp) for each in ours(transforms)]
    assert exact == pytest.approx(began, abs=1e-6)
    # Without another image the last of them is not behind what the odometry says meanwhile.
    assert ahead[-1] - began >= time.monotonic() - at_start - 0.4
    assert ahead[-1] - began <= time.monotonic() - at_start + tolerance
    assert ahead == sorted(set(ahead))
    rotations = {str(each.transform) for each in ours(transforms)}
    assert len(rotations) == 1


def test_what_another_stream_said_is_not_repeated(robot_of):
    rig, robot = robot_of({'output.tf_tolerance': 0.2})
    transforms, poses = rig.collect(TFMessage, '/tf'), rig.collect(PoseStamped, POSE)
    robot.mount('base_link', 'camera', MOUNTED)
    robot.move('odom', 'base_link', 1.0, driving(1.0))
    rig.feed([image_message(picture(), 1.0)], poses)
    rig.wait(lambda: len(ours(transforms)) >= 4, 'repeated transforms')
    rig.call(Trigger, '/reconstruction/reset', Trigger.Request())
    said = len(ours(transforms))
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    rig.wait(lambda: len(diagnostics) >= 2, 'a second or two')

    # One may have been on its way.
    assert len(ours(transforms)) <= said + 1
