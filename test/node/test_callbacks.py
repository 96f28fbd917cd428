# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What raises in the executor's thread is told, and the node lives on."""

import threading

from geometry_msgs.msg import TransformStamped
import pytest
from ros_rig import image_message, picture
from sensor_msgs.msg import Image
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.node.listening import Listener
from xstreamvggt_ros.node.outputs import Outputs
from xstreamvggt_ros.node.robot import Robot
from xstreamvggt_ros.node.session import Session
from xstreamvggt_ros.node.transforms import TransformBuffer

pytestmark = pytest.mark.ros

# All that the executor calls in an active node but services, by what is said where it breaks.
CALLED = {
    'publish diagnostics': (Session, '_publish_diagnostics'),
    'publish map and path': (Session, '_on_world'),
    'log the status': (Session, '_on_status'),
    'listen to the robot': (Robot, 'follow'),
    'repeat the transform': (Outputs, 'repeat_transform'),
    'look for who publishes on /image': (Listener, '_look'),
    'take a message of /image': (Listener, '_on_message'),
    'take transforms of /tf': (TransformBuffer, '_on_moving'),
    'follow the parameters': (Session, 'apply'),
}


def test_the_node_outlives_whatever_its_timers_and_subscriptions_raise(active, monkeypatch):
    broken = threading.Event()
    for kind, method in CALLED.values():
        monkeypatch.setattr(kind, method, breaking(getattr(kind, method), broken))
    monkeypatch.setattr('xstreamvggt_ros.node.session.STATUS_PERIOD', 0.1)
    rig = active({'output.tf_mode': 'odom'})
    images = rig.collect(Image, '/reconstruction/image')
    assert len(list(rig.node.timers)) == 7

    broken.set()
    rig.publish(image_message(picture()))
    rig.publish(TFMessage(transforms=[TransformStamped()]), topic='/tf')
    assert rig.set('output.point_stride', 3).successful
    for what in CALLED:
        rig.wait_for_log(f'cannot {what}:')
    broken.clear()

    rig.publish(image_message(picture(), 2.0))
    rig.wait(lambda: images, 'an image')


def breaking(method, broken):
    """Make a method that raises while `broken` is set."""

    def call(self, *arguments):
        if broken.is_set():
            raise RuntimeError('the roof is leaking')
        return method(self, *arguments)

    return call
