# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The metric scale over DDS."""

from contextlib import contextmanager
import struct
import time
from types import SimpleNamespace

import cv2
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry, Path
from networks import flat_frame, Scripted
import numpy as np
import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from ros_rig import header, image_message, IMAGE_SIZE, picture
from sensor_msgs.msg import CompressedImage, Image, PointCloud2
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
import torch
from transforms import Broadcaster, OPTICAL

from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.images.decoding_depth import decode_depth
from xstreamvggt_ros.images.errors import ImageError
from xstreamvggt_ros.messages import ns_from_time, read_points
from xstreamvggt_ros.node.depth import NoDepthError
from xstreamvggt_ros.node.interface import NEWEST_DEPTH
from xstreamvggt_ros.node.robot import RobotPose
from xstreamvggt_ros.node.scale import Scale
from xstreamvggt_ros.scale.per_frame import MIN_FRAMES

pytestmark = pytest.mark.ros
POSE, PATH = '/reconstruction/pose', '/reconstruction/path'
LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
SOURCE = {'output.scale_source': 'depth', 'input.depth_topic': '/metric'}


def going_right(index, image):
    """Answer with a camera that goes a unit to its right, before a wall two units away."""
    camera_from_world = torch.eye(4)[:3].clone()
    camera_from_world[0, 3] = -float(index)
    return flat_frame(*image.shape[-2:], camera_from_world=camera_from_world)


def depth_message(stamp, metres=6.0, encoding='32FC1', size=(42, IMAGE_SIZE)):
    values = np.full(size, metres if encoding == '32FC1' else 1000 * metres)
    values = values.astype('<f4' if encoding == '32FC1' else '<u2')
    return Image(
        header=header(stamp),
        height=size[0],
        width=size[1],
        encoding=encoding,
        step=values.strides[0],
        data=values.tobytes(),
    )


def has_arrived(rig, stamp):
    """Whether the newest depth image that has reached the node is of a stamp."""
    # No topic tells it in time for a test that must not sleep.
    return rig.node._session._depth.newest_ns == ns_from_time(header(stamp).stamp)


def send_depth(rig, *stamps, **depth):
    """Send depth images, no more at once than the node's queue has room for."""
    for first in range(0, len(stamps), NEWEST_DEPTH):
        batch = stamps[first : first + NEWEST_DEPTH]
        rig.publish(*[depth_message(stamp, **depth) for stamp in batch], topic='/metric')
        rig.wait(lambda last=batch[-1]: has_arrived(rig, last), 'the depth')


@contextmanager
def held(rig, message):
    """Send an image and keep the network busy with it."""
    rig.network.in_hand.clear()
    rig.network.released.clear()
    rig.publish(message)
    rig.wait(rig.network.in_hand.is_set, 'the image in hand')
    yield
    rig.network.released.set()


def feed(rig, poses, stamps, **depth):
    """Send depth and then the image of its time, when the node has it."""
    for stamp in stamps:
        if depth.get('metres') is None:
            rig.feed([image_message(picture(), stamp)], poses)
            continue
        send_depth(rig, stamp, **depth)
        rig.feed([image_message(picture(), stamp)], poses)


def newest(diagnostics):
    (status,) = diagnostics[-1].status
    return status, {pair.key: pair.value for pair in status.values}


def ys(poses):
    return [pose.pose.position.y for pose in poses]


@pytest.mark.parametrize('encoding', ['32FC1', '16UC1'])
def test_depth_settles_the_scale_once_and_what_there_is_follows(active, encoding):
    rig = active(SOURCE, network=Scripted(going_right))
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    poses = rig.collect(PoseStamped, POSE)
    paths = rig.collect(Path, PATH, LATCHED)
    rig.wait(lambda: diagnostics and newest(diagnostics)[1]['scale_settled'] == 'false', 'news')
    assert newest(diagnostics)[0].level == DiagnosticStatus.WARN
    assert 'up to scale: 0 of 10 frames' in newest(diagnostics)[0].message

    feed(rig, poses, range(1, MIN_FRAMES + 1), metres=6.0, encoding=encoding)
    # Another depth does not count any more.
    feed(rig, poses, range(MIN_FRAMES + 1, MIN_FRAMES + 4), metres=60.0, encoding=encoding)

    assert ys(poses[:MIN_FRAMES]) == pytest.approx([-index for index in range(MIN_FRAMES)])
    assert ys(poses[MIN_FRAMES:]) == pytest.approx([-30, -33, -36], rel=1e-3)
    rig.wait(lambda: paths and len(paths[-1].poses) == MIN_FRAMES + 3, 'the path')
    assert ys(paths[-1].poses) == pytest.approx(
        [-3 * index for index in range(MIN_FRAMES + 3)], rel=1e-3
    )
    rig.wait(lambda: newest(diagnostics)[1]['scale'] == '3', 'the scale on /diagnostics')
    assert newest(diagnostics)[1]['scale_source'] == 'depth'
    assert 'up to scale' not in newest(diagnostics)[0].message
    rig.wait_for_log('the scale has settled on 3 m per unit')


def test_a_new_stream_is_estimated_anew(active):
    rig = active(SOURCE, network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    feed(rig, poses, range(1, MIN_FRAMES + 2), metres=6.0)
    assert poses[-1].pose.position.y == pytest.approx(-3 * MIN_FRAMES)

    assert rig.call(Trigger, '/reconstruction/reset', Trigger.Request()).success
    feed(rig, poses, [30.0, 31.0])
    assert ys(poses[-2:]) == pytest.approx([0, -1])
    feed(rig, poses, range(32, 32 + MIN_FRAMES), metres=4.0)
    feed(rig, poses, [60.0])
    assert poses[-1].pose.position.y == pytest.approx(-2 * (MIN_FRAMES + 2))


def test_without_depth_of_its_time_or_size_the_scale_stays_unknown(active):
    rig = active(SOURCE, network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    feed(rig, poses, [1.0, 2.0])
    feed(rig, poses, [3.0], metres=6.0, size=(20, 20))

    rig.wait_for_log('publish depth registered to the colour image')
    assert ys(poses) == pytest.approx([0, -1, -2])


def test_compressed_depth_of_another_size_is_refused_and_the_right_one_used(active):
    topic = '/metric/compressedDepth'
    rig = active({**SOURCE, 'input.depth_topic': topic}, network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    bomb = bytes(12) + struct.pack('<II', 2, 2) + bytes(1 << 20)
    millimetres = np.full((42, IMAGE_SIZE), 6000, np.uint16)
    right = bytes(12) + cv2.imencode('.png', millimetres)[1].tobytes()

    for stamp in range(1, MIN_FRAMES + 2):
        coding, data = ('rvl', bomb) if stamp == 1 else ('png', right)
        message = CompressedImage(
            header=header(stamp), format=f'16UC1; compressedDepth {coding}', data=data
        )
        rig.publish(message, topic=topic)
        rig.wait(lambda last=stamp: has_arrived(rig, last), 'the depth')
        rig.feed([image_message(picture(), stamp)], poses)

    rig.wait_for_log(f'2x2 pixels but the colour image is {IMAGE_SIZE}x42')
    rig.wait_for_log('the scale has settled on 3 m per unit')


@pytest.mark.parametrize(
    ('stamp', 'timed', 'taken'), [(5.0, True, 1), (5.0, False, 0), (0.0, False, 1)]
)
def test_depth_is_of_no_use_to_an_image_whose_stamp_is_no_time(stamp, timed, taken):
    output = SimpleNamespace(scale_source='depth', camera_height=0.0, scale=1.0, tf_timeout=0.0)
    parameters = SimpleNamespace(output=output, input=SimpleNamespace(max_pixels=100))
    scale = Scale(lambda: parameters, SimpleNamespace(source_size=(3, 4)), None)
    asked = []

    def take(until):
        asked.append(until)
        raise NoDepthError('none')

    reconstruction = SimpleNamespace(world=1, camera_index=0, scale=1)
    stamped = SimpleNamespace(
        reconstruction=reconstruction, stamp=header(stamp).stamp, timed=timed, arrived=0.0
    )
    scale.follow(stamped, SimpleNamespace(take=take), RobotPose())

    assert len(asked) == taken


def later_than(stamp):
    """Give the stamps of more depth images than are kept."""
    return [stamp + 0.04 * number for number in range(1, 21)]


def test_depth_images_that_come_while_the_network_is_busy_do_not_push_out_the_one(active):
    rig = active(SOURCE, network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    rig.network.hold = True
    for stamp in range(1, MIN_FRAMES + 1):
        send_depth(rig, stamp)
        with held(rig, image_message(picture(), stamp)):
            send_depth(rig, *later_than(stamp))
        rig.wait(lambda stamp=stamp: len(poses) == stamp, 'the pose')

    rig.wait_for_log('the scale has settled on 3 m per unit')


def test_depth_that_comes_while_its_image_is_in_hand_counts(active):
    rig = active(SOURCE, network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    rig.network.hold = True
    for stamp in range(1, MIN_FRAMES + 1):
        with held(rig, image_message(picture(), stamp)):
            send_depth(rig, stamp + 0.01, *later_than(stamp))
        rig.wait(lambda stamp=stamp: len(poses) == stamp, 'the pose')

    rig.wait_for_log('the scale has settled on 3 m per unit')


def test_depth_that_comes_after_its_image_is_waited_for(active):
    rig = active({**SOURCE, 'output.tf_timeout': 10.0}, network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    for stamp in range(1, MIN_FRAMES + 1):
        rig.feed([image_message(picture(), stamp)], poses)
        send_depth(rig, stamp)

    rig.wait_for_log('the scale has settled on 3 m per unit')


def test_depth_that_never_comes_is_waited_for_once_and_not_at_the_end(active):
    rig = active({**SOURCE, 'output.tf_timeout': 3.0}, network=Scripted(going_right))
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    poses = rig.collect(PoseStamped, POSE)
    began = time.monotonic()
    feed(rig, poses, [1.0, 2.0, 3.0, 4.0])
    assert time.monotonic() - began < 2.8 * 3.0
    rig.wait(
        lambda: 'no depth image has come on /metric' in newest(diagnostics)[0].message,
        'the reason',
    )

    assert rig.set('output.tf_timeout', 10.0).successful
    send_depth(rig, 4.5)
    feed(rig, poses, [5.0])
    began = time.monotonic()
    assert rig.change('deactivate')
    assert time.monotonic() - began < 5.0


def test_depth_that_is_always_stamped_too_early_holds_up_one_image_only(active):
    rig = active({**SOURCE, 'output.tf_timeout': 3.0}, network=Scripted(going_right))
    poses = rig.collect(PoseStamped, POSE)
    began = time.monotonic()
    for stamp in (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7):
        send_depth(rig, stamp - 0.3)
        feed(rig, poses, [stamp])
    assert time.monotonic() - began < 2.8 * 3.0


def test_depth_waits_in_no_more_bytes_than_images(active):
    rig = active({**SOURCE, 'input.queue_mib': 1, 'output.tf_timeout': 0.0})
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    poses = rig.collect(PoseStamped, POSE)
    # Four tenths of a MiB each: the last two are kept, and the first was the one of its time.
    send_depth(rig, 5.0, 5.3, 5.6, size=(320, 320))
    feed(rig, poses, [5.0])

    rig.wait(
        lambda: diagnostics and '300 ms after it' in newest(diagnostics)[0].message, 'the reason'
    )


@pytest.mark.parametrize(
    ('apart', 'words'), [(0.3, '300 ms after it'), (-0.5, '500 ms before it')]
)
def test_how_far_away_the_nearest_depth_was_is_told(active, apart, words):
    rig = active({**SOURCE, 'output.tf_timeout': 0.0}, network=Scripted(going_right))
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    poses = rig.collect(PoseStamped, POSE)
    send_depth(rig, *sorted([5.0 + apart, 5.0 + 2 * apart]))
    feed(rig, poses, [5.0])

    rig.wait(lambda: diagnostics and words in newest(diagnostics)[0].message, 'the reason')
    assert 'make the clocks' in newest(diagnostics)[0].message


def test_the_camera_s_height_settles_it_too(active):
    def answer(index, image):
        """Look at a floor one unit below."""
        height, width = image.shape[-2:]
        frame = flat_frame(height, width)
        rows = (torch.arange(height) - height / 2) / width
        frame.depth[:] = torch.where(rows > 0.05, 1 / rows.clamp_min(0.05), 30.0)[:, None]
        return frame

    rig = active(
        {'output.scale_source': 'camera_height', 'output.camera_height': 1.5},
        network=Scripted(answer),
    )
    poses = rig.collect(PoseStamped, POSE)
    feed(rig, poses, range(1, MIN_FRAMES + 2))

    rig.wait_for_log('the scale has settled on 1.5')


def drive(rig, robot, poses, places):
    """Send an image for each place (stamp, metres along the odometry's diagonal)."""
    for stamp, metres in places:
        way = metres * np.array([0.6, -0.8, 0.0])
        robot.move('odom', 'base_link', stamp, rigid(np.eye(3), way))
        rig.feed([image_message(picture(), stamp)], poses)


@pytest.fixture
def driven(active):
    """Make a rig that goes by odometry, and its robot with the camera mounted."""

    def make(parameters=None):
        odometry = {
            'output.scale_source': 'odometry',
            'output.tf_timeout': 10.0,
            'output.tf_tolerance': 0.0,
        }
        rig = active({**odometry, **(parameters or {})}, network=Scripted(going_right))
        robot = Broadcaster(rig)
        robot.mount('base_link', 'camera', rigid(OPTICAL, np.array([0.2, 0.1, 0.0])))
        return rig, robot

    return make


def test_odometry_settles_it_once_and_then_map_to_odom_is_sent(driven):
    rig, robot = driven({'output.tf_mode': 'odom', 'output.confidence_percentile': 0.0})
    transforms = rig.collect(TFMessage, '/tf')
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    clouds = rig.collect(PointCloud2, '/reconstruction/map', LATCHED)
    paths = rig.collect(Path, PATH, LATCHED)
    poses = rig.collect(PoseStamped, POSE)
    bases = rig.collect(Odometry, '/reconstruction/odometry')
    # 0.3 m to the unit, in the six places that make half a metre and a little more.
    drive(rig, robot, poses, [(1.0 + index, 0.3 * index) for index in range(4)])
    rig.wait(
        lambda: diagnostics and 'odometry moved 0.90 m in 4' in newest(diagnostics)[0].message,
        'the reason',
    )
    drive(rig, robot, poses, [(1.0 + index, 0.3 * index) for index in range(4, 6)])
    # Wheels that slip do not count any more.
    drive(rig, robot, poses, [(1.0 + index, 30.0 * index) for index in range(6, 9)])

    assert ys(poses) == pytest.approx([0, -1, -2, -3, -4, -1.5, -1.8, -2.1, -2.4], rel=1e-3)
    rig.wait(lambda: paths and len(paths[-1].poses) == len(poses), 'the path')
    assert ys(paths[-1].poses) == pytest.approx(
        [-0.3 * index for index in range(len(poses))], rel=1e-3, abs=1e-6
    )
    # The wall is two units ahead of the first camera, which stays where it is.
    rig.wait(lambda: clouds and clouds[-1].header.stamp == poses[-1].header.stamp, 'the map')
    wall = read_points(clouds[-1]).points[:, 0]
    np.testing.assert_allclose(wall, 0.6, rtol=1e-3)
    sent = [each for message in transforms for each in message.transforms]
    sent = [each.header.stamp.sec for each in sent if each.header.frame_id == 'map']
    assert sent == [6, 7, 8, 9]
    # The mounting is in metres: until the poses are too, nobody knows where the base is.
    rig.wait(lambda: len(bases) == len(sent), "the base's odometry")
    assert [base.header.stamp.sec for base in bases] == sent
    moved = [base.twist.twist.linear.y for base in bases]
    assert moved == pytest.approx([-0.3] * len(sent), rel=1e-3)
    rig.wait(lambda: newest(diagnostics)[1]['scale'] == '0.3', 'the scale on /diagnostics')
    assert newest(diagnostics)[1]['scale_source'] == 'odometry'
    assert newest(diagnostics)[1]['scale_settled'] == 'true'
    assert 'up to scale' not in newest(diagnostics)[0].message


def test_odometry_is_of_no_use_once_it_has_settled_the_scale_until_a_new_stream(driven):
    rig, robot = driven({'output.tf_mode': 'off'})
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    poses = rig.collect(PoseStamped, POSE)
    drive(rig, robot, poses, [(1.0 + index, 0.3 * index) for index in range(6)])
    rig.wait_for_log('the scale has settled')
    rig.wait(lambda: not rig.peer.count_subscribers('/tf'), 'the node not to listen any more')
    rig.wait(lambda: 'transforms' not in newest(diagnostics)[1], 'nothing to be said of it')

    # Nobody says where the robot is then, and nobody waits for it.
    began = time.monotonic()
    rig.feed([image_message(picture(), stamp) for stamp in (7.0, 8.0)], poses)
    assert time.monotonic() - began < 10.0
    assert ys(poses[-2:]) == pytest.approx([-1.8, -2.1], rel=1e-3)

    assert rig.call(Trigger, '/reconstruction/reset', Trigger.Request()).success
    rig.feed([image_message(picture(), 9.0)], poses)
    drive(rig, robot, poses, [(10.0 + index, 0.6 * index) for index in range(8)])
    rig.wait(
        lambda: sum('the scale has settled' in line for line in rig.log()) == 2,
        "the new stream's scale",
    )


def test_a_scale_of_another_source_is_not_taken_for_the_parameter_s(driven):
    rig, robot = driven({'output.tf_mode': 'odom'})
    transforms = rig.collect(TFMessage, '/tf')
    poses = rig.collect(PoseStamped, POSE)
    drive(rig, robot, poses, [(1.0 + index, 0.3 * index) for index in range(7)])
    # With an image in hand, what came of the one before has been seen to.
    rig.network.hold = True
    robot.move('odom', 'base_link', 9.0, np.eye(4))
    rig.publish(image_message(picture(), 8.0))
    rig.wait(rig.network.in_hand.is_set, 'the image in hand')
    assert rig.set('output.scale', 2.0).successful
    assert rig.set('output.scale_source', 'parameter').successful
    rig.network.released.set()
    rig.wait(lambda: len(poses) == 8, 'the pose')
    rig.feed([image_message(picture(), 9.0)], poses)

    def sent():
        found = [each for message in transforms for each in message.transforms]
        return [each.header.stamp.sec for each in found if each.header.frame_id == 'map']

    rig.wait(lambda: sent() and sent()[-1] == 9, 'the last transform')
    assert ys(poses[-2:]) == pytest.approx([-4.2, -16])
    assert sent() == [6, 7, 9]


@pytest.mark.parametrize(
    ('steps', 'words'),
    [
        ([0.06] * 8, 'odometry moved 0.4'),
        ([0.3, 3.0, 0.3, 9.0, 0.3, 3.0, 0.3], 'the estimates from odometry spread by'),
    ],
)
def test_odometry_that_tells_too_little_does_not_settle_it_and_says_why(driven, steps, words):
    rig, robot = driven()
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    poses = rig.collect(PoseStamped, POSE)
    ways = np.cumsum([0.0, *steps])
    drive(rig, robot, poses, [(1.0 + index, metres) for index, metres in enumerate(ways)])

    rig.wait(lambda: diagnostics and words in newest(diagnostics)[0].message, 'the reason')
    assert newest(diagnostics)[0].level == DiagnosticStatus.WARN
    assert newest(diagnostics)[1]['scale_settled'] == 'false'
    assert ys(poses) == pytest.approx([-index for index in range(len(ways))])


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'output.scale_source': 'depth'}, 'input.depth_topic'),
        ({'output.scale_source': 'camera_height'}, 'output.camera_height'),
        ({'output.scale_source': 'guess'}, 'camera_height'),
    ],
)
def test_a_source_without_what_it_needs_is_refused(rig_of, parameters, words):
    rig = rig_of(parameters)

    assert not rig.change('configure')
    rig.wait_for_log(words)


def test_the_source_can_be_changed_while_active(active):
    rig = active(
        {'output.scale': 2.0, 'input.depth_topic': '/metric'}, network=Scripted(going_right)
    )
    poses = rig.collect(PoseStamped, POSE)
    feed(rig, poses, [1.0, 2.0])
    assert rig.set('output.scale_source', 'depth').successful
    feed(rig, poses, range(3, 3 + MIN_FRAMES + 4), metres=6.0)

    assert ys(poses[:3]) == pytest.approx([0, -2, -2])
    assert poses[-1].pose.position.y == pytest.approx(-3 * (MIN_FRAMES + 5))


@pytest.mark.parametrize('big_endian', [False, True])
def test_depth_is_read_in_metres_whatever_its_bytes(big_endian):
    values = np.array([[0, 1500, 65535]], '>u2' if big_endian else '<u2')
    padded = np.hstack([values.view(np.uint8), np.zeros((1, 3), np.uint8)])
    message = Image(
        height=1,
        width=3,
        encoding='16UC1',
        is_bigendian=int(big_endian),
        step=9,
        data=padded.tobytes(),
    )

    np.testing.assert_allclose(decode_depth(message, 100), [[0, 1.5, 65.535]])


@pytest.mark.parametrize(
    ('change', 'words'),
    [({'encoding': 'rgb8'}, 'rgb8'), ({'step': 3}, 'step 3'), ({'height': 50}, 'whole rows')],
)
def test_depth_that_does_not_fit_together_is_refused(change, words):
    message = depth_message(1.0)
    for name, value in change.items():
        setattr(message, name, value)

    with pytest.raises(ImageError, match=words):
        decode_depth(message, 10_000)
