# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras over DDS."""

import time

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry, Path
from networks import Scripted
import numpy as np
import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from ros_rig import DEADLINE, header, image_message, IMAGE_SIZE, picture
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from tf2_msgs.msg import TFMessage
from transforms import Broadcaster

pytestmark = pytest.mark.ros
NODE = '/reconstruction'
FRONT, LEFT = '/rig/front/image_raw', '/rig/left/image_raw'
CAMERAS = {'input.image_topics': [FRONT, LEFT]}
# Frames leave when every camera has one waiting, and not by themselves.
PATIENT = {'input.reorder_window': 10.0}
AT_ONCE = {'input.reorder_window': 0.0}
LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


class Reading(Scripted):
    """Answers with a wall, and reads from each image the number that `numbered` put there."""

    def __init__(self):
        super().__init__()
        self.numbers = []

    def step(self, image, keep=True):
        if keep:
            self.numbers.append(round(255 * float(image.mean())))
        return super().step(image, keep)


def numbered(number, stamp, frame='front_optical'):
    return image_message(np.full((42, IMAGE_SIZE, 3), number, np.uint8), stamp, frame)


@pytest.fixture
def rig_with(active):
    """Make an active rig with two cameras."""

    def make(parameters=None, network=None, **options):
        given = {**CAMERAS, **PATIENT, **(parameters or {})}
        return active(given, network=network or Reading(), **options)

    return make


def publish(rig, arrivals):
    """Send (topic, message) in turn, each when the one before has arrived."""
    for topic, message in arrivals:
        before = rig.received()
        rig.publish(message, topic=topic)
        rig.wait(lambda before=before: rig.received() > before, 'the image to arrive')


def newest(diagnostics):
    (status,) = diagnostics[-1].status
    return {pair.key: pair.value for pair in status.values}


def test_one_camera_info_for_several_cameras_is_warned_of(rig_with):
    rig = rig_with({}, cli_args=['--ros-args', '-r', 'camera_info:=/lidar/camera_info'])
    rig.wait_for_log('camera_info is remapped to /lidar/camera_info, which several cameras do not')


@pytest.mark.parametrize('queue', ['every', 'newest'])
def test_frames_are_taken_in_the_order_of_their_stamps(rig_with, queue):
    rig = rig_with({'input.queue': queue})
    publish(
        rig,
        [
            (LEFT, numbered(20, 1.02)),
            (FRONT, numbered(10, 1.01)),
            (FRONT, numbered(40, 1.04)),
            (LEFT, numbered(60, 1.06)),
            (LEFT, numbered(50, 1.05)),
            (FRONT, numbered(70, 1.07)),
        ],
    )
    rig.wait(lambda: len(rig.network.numbers) == 5, 'what is certain to be in order')
    assert rig.network.numbers == [10, 20, 40, 50, 60]

    assert rig.set('input.reorder_window', 0.0).successful
    rig.wait(lambda: len(rig.network.numbers) == 6, 'the last')
    assert rig.network.numbers[-1] == 70
    assert rig.network.resets == 2  # The warm-up's, and the first image's.


def test_each_camera_has_its_own_topics_frames_and_calibration(rig_with):
    rig = rig_with({'output.confidence_percentile': 0.0})
    kinds = {'points': PointCloud2, 'depth/image': Image, 'confidence': Image}
    found = {
        (name, topic): rig.collect(kind, f'{NODE}/{name}/{topic}')
        for name in ('front', 'left')
        for topic, kind in {**kinds, 'depth/camera_info': CameraInfo}.items()
    }
    poses = rig.collect(PoseStamped, f'{NODE}/pose')
    odometry = rig.collect(Odometry, f'{NODE}/odometry')
    paths = rig.collect(Path, f'{NODE}/path', LATCHED)
    maps = rig.collect(PointCloud2, f'{NODE}/map', LATCHED)
    transforms = rig.collect(TFMessage, '/tf')
    calibration = CameraInfo(
        header=header(), height=56, width=42, distortion_model='plumb_bob', d=[0.0] * 5
    )
    calibration.k = np.array([30.0, 0, 21, 0, 30, 28, 0, 0, 1])
    rig.publish(calibration, topic='/rig/left/camera_info')
    rig.wait(lambda: infos_of(rig, 1) is not None, 'the calibration')
    stamps = {'front': [1.0, 2.0], 'left': [1.5, 2.5]}
    publish(
        rig,
        [
            (FRONT, image_message(picture(0), 1.0, 'front_optical')),
            (LEFT, image_message(picture(1, 56, 42), 1.5, 'left_optical')),
            (FRONT, image_message(picture(2), 2.0, 'front_optical')),
            (LEFT, image_message(picture(3, 56, 42), 2.5, 'left_optical')),
        ],
    )
    assert rig.set('input.reorder_window', 0.0).successful
    rig.wait(lambda: all(len(messages) == 2 for messages in found.values()), 'all outputs')

    for (name, topic), messages in found.items():
        frame = 'map' if topic == 'points' else f'{name}_optical'
        assert [message.header for message in messages] == [
            header(stamp, frame) for stamp in stamps[name]
        ]
        # All have the first one's size.
        assert (messages[0].height, messages[0].width) == (42, IMAGE_SIZE)
    front, left = (found[name, 'depth/camera_info'][0] for name in ('front', 'left'))
    assert front.k[0] == IMAGE_SIZE
    # Made as wide as the first one's, its middle kept: 75 rows less 16 above.
    assert left.k[0] == pytest.approx(30 * 56 / 42)
    assert left.k[5] == pytest.approx(28.5 * 75 / 56 - 0.5 - 16)
    rig.wait(lambda: len(poses) == len(odometry) == 2, "the first camera's poses")
    assert [pose.header.stamp.sec for pose in poses] == [1, 2]
    assert {each.child_frame_id for each in odometry} == {'front_optical'}
    rig.wait(lambda: paths and len(paths[-1].poses) == 2, "the first camera's path")
    rig.wait(lambda: maps and maps[-1].header.stamp == header(2.5).stamp, 'the map of both')
    frames = [each.child_frame_id for message in transforms for each in message.transforms]
    assert frames == 2 * ['front_optical', 'left_optical']
    names = {publisher.topic_name for publisher in rig.node.publishers}
    assert f'{NODE}/points' not in names and f'{NODE}/left/pose' not in names


def infos_of(rig, camera):
    # No topic tells it in time for a test that must not sleep.
    return rig.node._session._cameras._infos[camera]._newest


def test_what_comes_too_late_is_dropped_with_the_fix_and_counted(rig_with):
    rig = rig_with(AT_ONCE)
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    clouds = rig.collect(PointCloud2, f'{NODE}/front/points')
    rig.publish(numbered(20, 2.0), topic=FRONT)
    rig.wait(lambda: clouds, 'the first')
    publish(rig, [(LEFT, numbered(15, 1.5)), (LEFT, numbered(25, 2.5))])
    rig.wait(lambda: len(rig.network.numbers) == 2, 'what came in time')

    assert rig.network.numbers == [20, 25]
    rig.wait_for_log(f'image dropped (late): one on {LEFT}')
    rig.wait(lambda: diagnostics and newest(diagnostics).get('dropped_late') == '1', 'the count')
    expected = {
        'front/frames_in': '1',
        'front/frames_processed': '1',
        'front/frames_dropped': '0',
        'left/frames_in': '2',
        'left/frames_processed': '1',
        'left/frames_dropped': '1',
        'left/dropped_late': '1',
    }
    rig.wait(lambda: expected.items() <= newest(diagnostics).items(), "each camera's counts")


def test_of_a_busy_network_each_camera_s_newest_waits(rig_with):
    rig = rig_with({**AT_ONCE, 'input.queue': 'newest'})
    clouds = rig.collect(PointCloud2, f'{NODE}/front/points')
    rig.network.hold = True
    rig.publish(numbered(10, 1.0), topic=FRONT)
    rig.wait(rig.network.in_hand.is_set, 'the first in hand')
    publish(
        rig,
        [
            (FRONT, numbered(11, 1.1)),
            (LEFT, numbered(12, 1.2)),
            (LEFT, numbered(13, 1.3)),
            (FRONT, numbered(14, 1.4)),
        ],
    )
    rig.network.released.set()
    rig.wait(lambda: len(clouds) == 2, 'the last')

    assert rig.network.numbers == [10, 13, 14]
    rig.wait(lambda: rig.counts().processed == 3, 'its end')
    assert rig.counts().dropped == {'superseded': 2}


def test_a_bag_that_begins_again_begins_one_stream_for_all(rig_with):
    rig = rig_with()
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    laps = (
        [(90, 9.0), (91, 9.1), (92, 9.2), (93, 9.3)],
        [(10, 1.0), (11, 1.1), (12, 1.2), (13, 1.3)],
    )
    # The first of a lap could still be an outlier: the second begins the stream.
    publish(
        rig,
        [
            ((FRONT, LEFT)[number % 2], numbered(number, stamp))
            for lap in laps
            for number, stamp in lap
        ],
    )
    assert rig.set('input.reorder_window', 0.0).successful
    rig.wait(lambda: len(rig.network.numbers) == 8, 'all of both laps')

    assert rig.network.numbers == [90, 91, 92, 93, 10, 11, 12, 13]
    rig.wait(lambda: diagnostics and newest(diagnostics)['streams'] == '2', 'two streams')
    rig.wait_for_log('stream 2 begins')


def test_a_camera_whose_clock_goes_back_alone_does_not_silence_the_others(rig_with):
    rig = rig_with(AT_ONCE)
    clouds = rig.collect(PointCloud2, f'{NODE}/left/points')
    publish(rig, [(FRONT, numbered(1, 100.0)), (LEFT, numbered(2, 100.1))])
    rig.wait(lambda: clouds, 'an image of the left one')
    del clouds[:]
    # The first one behind could still be an outlier.
    publish(rig, [(FRONT, numbered(3, 10.5))])
    sent, end = 0, time.monotonic() + DEADLINE
    while not clouds:
        assert time.monotonic() < end, rig.counts()
        sent += 1
        # The left one's clock goes on, and what it takes is late until that is certain.
        publish(rig, [(FRONT, numbered(3, 10 + sent)), (LEFT, numbered(4, 100.1 + sent))])
        rig.wait(
            lambda: sum(rig.counts().dropped.values()) + rig.counts().processed == rig.received()
        )
    before = rig.counts()
    for index in range(1, 4):
        stamps = sent + index, 100.1 + sent + index
        publish(rig, [(FRONT, numbered(5, 10 + stamps[0])), (LEFT, numbered(6, stamps[1]))])
    rig.wait(lambda: rig.counts().processed == before.processed + 6, 'every image of both')

    assert rig.counts().dropped == before.dropped
    told = [line for line in rig.log() if 'another camera; the cameras' in line]
    assert len(told) == 1 and f'the stamps of {LEFT} are 90.' in told[0]
    rig.wait_for_log('stream 2 begins')
    assert not any('stream 3' in line for line in rig.log())


def test_another_size_of_one_camera_begins_a_new_stream(rig_with):
    rig = rig_with(AT_ONCE)
    clouds = [rig.collect(PointCloud2, f'{NODE}/{name}/points') for name in ('front', 'left')]
    for number, (topic, shape) in enumerate(
        [(FRONT, (42, 56)), (LEFT, (42, 56)), (LEFT, (84, 112)), (FRONT, (42, 56))]
    ):
        before = sum(map(len, clouds))
        rig.publish(image_message(picture(number, *shape), 1.0 + number), topic=topic)
        rig.wait(lambda before=before: sum(map(len, clouds)) > before, 'its cloud')

    rig.wait_for_log('stream 2 begins: the images are 112x84 now, they were 56x42')
    assert not any('stream 3' in line for line in rig.log())


def test_odom_mode_goes_by_the_first_camera(rig_with):
    odom = {'output.tf_mode': 'odom', 'output.tf_timeout': 10.0, 'output.tf_tolerance': 0.0}
    rig = rig_with({**AT_ONCE, **odom})
    robot = Broadcaster(rig)
    transforms = rig.collect(TFMessage, '/tf')
    clouds = [rig.collect(PointCloud2, f'{NODE}/{name}/points') for name in ('front', 'left')]
    robot.mount('base_link', 'front_optical', np.eye(4))
    for number, topic in enumerate([FRONT, LEFT, FRONT]):
        robot.move('odom', 'base_link', 1.0 + number, np.eye(4))
        before = sum(map(len, clouds))
        # Nobody has mounted the left one, and nobody asks.
        rig.publish(
            numbered(number, 1.0 + number, ('front', 'left')[number % 2] + '_optical'), topic=topic
        )
        rig.wait(lambda before=before: sum(map(len, clouds)) > before, 'its cloud')

    def sent():
        each = [each for message in transforms for each in message.transforms]
        return [one.header.stamp.sec for one in each if one.header.frame_id == 'map']

    rig.wait(lambda: len(sent()) == 2, 'the transforms')
    assert sent() == [1, 3]
    assert not any('no transform' in line for line in rig.log())


def test_cameras_that_share_a_frame_are_told_so(rig_with):
    rig = rig_with(AT_ONCE)
    publish(rig, [(FRONT, numbered(1, 1.0, 'camera')), (LEFT, numbered(2, 2.0, 'camera'))])

    rig.wait_for_log("the cameras front, left share the frame 'camera'")


def test_cameras_without_a_frame_get_one_each(rig_with):
    rig = rig_with(AT_ONCE)
    transforms = rig.collect(TFMessage, '/tf')
    publish(rig, [(FRONT, numbered(1, 1.0, '')), (LEFT, numbered(2, 2.0, ''))])
    rig.wait(lambda: len(transforms) == 2, 'both transforms')

    assert [message.transforms[0].child_frame_id for message in transforms] == [
        'front_optical_frame',
        'left_optical_frame',
    ]


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'input.image_topics': ['/a/front/image', '/b/front/image']}, "are called 'front'"),
        ({**CAMERAS, 'input.camera_names': ['x', 'x']}, "are called 'x'"),
        ({**CAMERAS, 'output.camera_frame': 'camera'}, 'output.camera_frame'),
    ],
)
def test_cameras_that_cannot_be_told_apart_are_refused_at_configure(rig_of, parameters, words):
    rig = rig_of(parameters)

    assert not rig.change('configure')
    assert rig.state() == 'unconfigured'
    rig.wait_for_log(words)


def test_cameras_are_called_as_they_are_told(rig_with):
    rig = rig_with({**AT_ONCE, 'input.camera_names': ['bow', 'port']})
    clouds = rig.collect(PointCloud2, f'{NODE}/port/points')
    rig.publish(numbered(1, 1.0), topic=LEFT)
    rig.wait(lambda: clouds, 'the cloud')


def test_the_silence_of_one_camera_is_told(rig_with):
    rig = rig_with({**AT_ONCE, 'input.silence_timeout': 0.5})
    rig.publish(numbered(1, 1.0), topic=FRONT)

    rig.wait_for_log(f'no images on {LEFT}')
