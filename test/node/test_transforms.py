# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Transforms that arrive over DDS."""

import time

import numpy as np
import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.geometry.transform_tree import MAX_FRAMES, TransformError
from xstreamvggt_ros.messages import time_from_ns, transform_stamped
from xstreamvggt_ros.node.transforms import TransformBuffer
from xstreamvggt_ros.rig.link import Link

pytestmark = pytest.mark.ros
DEADLINE = 60.0
SECOND = 10**9


def message(parent, child, sec, x):
    matrix = np.eye(4)
    matrix[0, 3] = x
    header = Header(stamp=time_from_ns(round(sec * SECOND)), frame_id=parent)
    return TFMessage(transforms=[transform_stamped(matrix, header, child)])


@pytest.fixture
def talk():
    """Give a broadcaster of moving and of static transforms, and the listener's link."""
    with Link('broadcaster') as talking, Link('listener') as listening:
        latched = QoSProfile(depth=10, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
        moving = talking.node.create_publisher(TFMessage, '/tf', 10)
        static = talking.node.create_publisher(TFMessage, '/tf_static', latched)
        yield moving, static, listening


def wait_for(link, buffer, *question):
    """Spin until the buffer has an answer."""
    end = time.monotonic() + DEADLINE
    while True:
        try:
            return buffer.lookup(*question)
        except TransformError:
            assert time.monotonic() < end, question
            link.spin_for(0.02)


def test_moving_and_latched_transforms_are_chained(talk):
    moving, static, link = talk
    # Before there is a listener: only a latched subscription gets it.
    static.publish(message('base', 'camera', 0, 0.5))
    buffer = TransformBuffer(link.node)
    assert link.spin_until(moving.get_subscription_count, DEADLINE)
    moving.publish(message('odom', 'base', 1, 1.0))
    moving.publish(message('odom', 'base', 3, 3.0))
    found = wait_for(link, buffer, 'odom', 'camera', 2 * SECOND)
    np.testing.assert_allclose(found[:3, 3], [2.5, 0.0, 0.0])
    with pytest.raises(TransformError, match='odom'):
        buffer.lookup('odom', 'camera', 4 * SECOND)
    with pytest.raises(TransformError, match='nowhere'):
        buffer.lookup('nowhere', 'camera', 2 * SECOND)
    buffer.destroy()
    assert link.spin_until(lambda: not moving.get_subscription_count(), DEADLINE)


def test_a_transform_that_cannot_be_is_passed_over(talk):
    moving, _, link = talk
    buffer = TransformBuffer(link.node)
    assert link.spin_until(moving.get_subscription_count, DEADLINE)
    broken = message('odom', 'base', 1, 7.0)
    broken.transforms[0].transform.rotation.w = 0.0
    moving.publish(broken)
    moving.publish(message('base', 'base', 1, 7.0))
    moving.publish(message('odom', 'base', 1, 1.0))
    assert wait_for(link, buffer, 'odom', 'base', SECOND)[0, 3] == 1.0


@pytest.mark.parametrize(('parent', 'child'), [('base', 'base'), ('odom', ''), ('', 'base')])
def test_a_transform_that_joins_no_two_frames_is_told_once_in_a_while(talk, capfd, parent, child):
    moving, _, link = talk
    buffer = TransformBuffer(link.node, lambda: 'map')
    assert link.spin_until(moving.get_subscription_count, DEADLINE)
    for sec in (1, 2, 3):
        moving.publish(message(parent, child, sec, 7.0))
    moving.publish(message('odom', 'base', 1, 1.0))
    wait_for(link, buffer, 'odom', 'base', SECOND)

    (told,) = capfd.readouterr().err.splitlines()
    assert f'the transform from {parent!r} to {child!r} was passed over' in told


def test_what_the_node_broadcasts_itself_takes_no_frame_from_its_parent(talk):
    moving, static, link = talk
    buffer = TransformBuffer(link.node, lambda: 'map')
    assert link.spin_until(moving.get_subscription_count, DEADLINE)
    assert link.spin_until(static.get_subscription_count, DEADLINE)
    static.publish(message('base', 'camera', 0, 0.5))
    wait_for(link, buffer, 'base', 'camera', SECOND)
    moving.publish(message('map', 'camera', 1, 9.0))
    moving.publish(message('odom', 'base', 1, 1.0))
    assert wait_for(link, buffer, 'odom', 'camera', SECOND)[0, 3] == 1.5


def test_of_endless_frames_no_more_are_remembered_than_the_tree_has(talk):
    moving, _, link = talk
    buffer = TransformBuffer(link.node)
    assert link.spin_until(moving.get_subscription_count, DEADLINE)
    for batch in range(3):
        several = TFMessage()
        for index in range(MAX_FRAMES // 2):
            name = f'frame_{batch}_{index}'
            several.transforms += message('odom', name, 1 + batch, 0.0).transforms
        # What is heard of all the time stays.
        several.transforms += message('odom', 'base', 1 + batch, 1.0 + batch).transforms
        moving.publish(several)
        found = wait_for(link, buffer, 'odom', 'base', (1 + batch) * SECOND)
        assert found[0, 3] == 1.0 + batch
    # Nothing outside shows what it takes.
    assert len(buffer._newest) <= MAX_FRAMES and 'base' in buffer._newest


def test_of_a_bag_that_begins_again_what_moved_before_is_forgotten(talk):
    moving, static, link = talk
    buffer = TransformBuffer(link.node)
    assert link.spin_until(moving.get_subscription_count, DEADLINE)
    assert link.spin_until(static.get_subscription_count, DEADLINE)
    static.publish(message('base', 'camera', 0, 0.5))
    for sec in (7, 8, 2, 3, 4):
        moving.publish(message('odom', 'base', sec, float(sec)))

    assert wait_for(link, buffer, 'odom', 'camera', 7 * SECOND // 2)[0, 3] == 4.0
    # Neither what was then nor anything between the two.
    for sec in (5, 8):
        # In this package's words, and in tf2's.
        with pytest.raises(TransformError, match='after the newest|into the future'):
            buffer.lookup('odom', 'camera', sec * SECOND)


@pytest.mark.parametrize('rates', [(10, 10), (10, 100), (100, 10)])
def test_of_two_publishers_whose_clocks_differ_nothing_is_forgotten(talk, rates):
    moving, _, link = talk
    buffer = TransformBuffer(link.node)
    assert link.spin_until(moving.get_subscription_count, DEADLINE)
    both = [
        (i / rate, late) for rate, late in zip(rates, (0, 1.2), strict=True) for i in range(rate)
    ]
    mixed = [message('odom', 'base', 10 + now - late, 1.0) for now, late in sorted(both)]
    # In one message, so that none is lost and they keep their order.
    moving.publish(TFMessage(transforms=[each.transforms[0] for each in mixed]))
    moving.publish(message('odom', 'base', 12, 2.0))

    wait_for(link, buffer, 'odom', 'base', 12 * SECOND)
    assert buffer.lookup('odom', 'base', 10 * SECOND)[0, 3] == 1.0
