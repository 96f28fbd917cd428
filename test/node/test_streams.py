# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""New streams are counted, and said once with the reason."""

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from networks import flat_frame, Scripted
import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from ros_rig import image_message, picture
from std_msgs.msg import UInt32
from std_srvs.srv import Trigger

from xstreamvggt_ros.messages.odometry import UNKNOWN
from xstreamvggt_ros.node.reconstructor import build_reconstructor
from xstreamvggt_ros.rig.node_log import losses

pytestmark = pytest.mark.ros
POSE = '/reconstruction/pose'


def beginnings(rig):
    return [line for line in rig.log() if line.startswith('stream ')]


def test_every_new_stream_is_said_once_with_its_reason(active):
    rig = active()
    poses = rig.collect(PoseStamped, POSE)
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    messages = [
        image_message(picture(), 100.0),
        image_message(picture(), 101.0),
        image_message(picture(), 50.0),
        image_message(picture(), 50.5),
        image_message(picture(height=28), 51.0),
        image_message(picture(height=28), 52.0),
    ]
    rig.feed(messages, poses)
    rig.call(Trigger, '/reconstruction/reset', Trigger.Request())
    rig.feed([image_message(picture(height=28), 53.0)], poses)
    rig.wait(lambda: len(beginnings(rig)) == 4, 'four streams in the log')

    assert beginnings(rig) == [
        'stream 1 begins: the first image',
        "stream 2 begins: the images' stamps went back by 51.0 s",
        'stream 3 begins: the images are 56x28 now, they were 56x42',
        'stream 4 begins: ~/reset asked for it',
    ]
    rig.wait(lambda: _streams(diagnostics) == '4', 'four streams on /diagnostics')


def test_every_output_can_be_told_to_its_stream(active):
    rig = active()
    frames = rig.collect(DiagnosticArray, '/reconstruction/frame')
    numbers = rig.collect(UInt32, '/reconstruction/stream')
    odometry = rig.collect(Odometry, '/reconstruction/odometry')
    diagnostics = rig.collect(DiagnosticArray, '/diagnostics')
    rig.feed([image_message(picture(), stamp) for stamp in (100.0, 101.0)], frames, odometry)
    rig.call(Trigger, '/reconstruction/reset', Trigger.Request())
    rig.feed([image_message(picture(), stamp) for stamp in (102.0, 103.0)], frames, odometry)

    assert [each.header.stamp.sec for each in frames] == [100, 101, 102, 103]
    assert [_values(each)['stream'] for each in frames] == ['1', '1', '2', '2']
    assert [_values(each)['index'] for each in frames] == ['0', '1', '0', '1']
    rig.wait(lambda: [each.data for each in numbers] == [1, 2], 'the number of each stream once')
    # Nothing ties a stream's first pose to those before; as RTAB-Map has it, both are unknown.
    unknown = [
        (each.pose.covariance[0] >= UNKNOWN, each.twist.covariance[0] >= UNKNOWN)
        for each in odometry
    ]
    assert unknown == [(True, True), (False, False)] * 2
    rig.wait(
        lambda: diagnostics and _values(diagnostics[-1])['stream'] == '2', 'it on /diagnostics'
    )
    assert _values(diagnostics[-1])['stream_reason'] == '~/reset asked for it'

    latched = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
    late = rig.collect(UInt32, '/reconstruction/stream', latched)
    rig.wait(lambda: late, 'the number for who comes later')
    assert late[0].data == 2


def test_a_stream_that_was_ruined_is_the_reason_for_the_next(active):
    def answer(index, image):
        frame = flat_frame(*image.shape[-2:])
        if ruined.pop() if ruined else False:
            frame.camera_from_world.fill_(float('nan'))
        return frame

    ruined = []
    rig = active(network=Scripted(answer))
    poses = rig.collect(PoseStamped, POSE)
    rig.feed([image_message(picture(), 1.0)], poses)
    ruined.append(True)
    rig.publish(image_message(picture(), 2.0))
    rig.feed([image_message(picture(), 3.0)], poses)

    rig.wait_for_log('stream 2 begins: the one before gave a pose that is not finite')


def test_a_stream_that_was_loaded_is_one(active, tmp_path):
    rig = active({'output.directory': str(tmp_path)}, build_reconstructor=build_reconstructor)
    poses = rig.collect(PoseStamped, POSE)
    rig.feed([image_message(picture(), 1.0)], poses)
    assert rig.call(Trigger, '/reconstruction/save', Trigger.Request()).success
    (snapshot,) = tmp_path.glob('**/stream_*.safetensors')
    assert rig.set('input.snapshot', str(snapshot)).successful
    assert rig.call(Trigger, '/reconstruction/load', Trigger.Request()).success
    rig.feed([image_message(picture(), 2.0)], poses)

    rig.wait_for_log('stream 2 begins: ~/load resumed it')
    assert len(beginnings(rig)) == 2


def _streams(diagnostics):
    return _values(diagnostics[-1])['streams'] if diagnostics else None


def _values(message):
    return {pair.key: pair.value for pair in message.status[0].values}


def test_an_image_of_which_much_is_cut_off_is_told_of_once(active):
    rig = active()
    poses = rig.collect(PoseStamped, '/reconstruction/pose')
    portrait = [image_message(picture(1, height=84), stamp) for stamp in (2.0, 3.0)]

    rig.feed([image_message(picture(), 1.0), *portrait], poses)

    rig.wait_for_log('33 % of each image is cut off')
    (said,) = [line for line in rig.log() if 'cut off' in line]
    # The demo finds it in the log by these words.
    assert losses(f'[INFO] [1.5] [reconstruction]: {said}') == [said]
