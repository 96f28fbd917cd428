# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What raises in the executor's thread is told, and the node lives on."""

import threading

from geometry_msgs.msg import TransformStamped
from lone_node import lone_node
import pytest
from rclpy.executors import ExternalShutdownException
from ros_rig import DEADLINE, image_message, picture
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.node import callbacks
from xstreamvggt_ros.node.callbacks import spin
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


def raise_once(*_, calls):
    """Raise at the first call."""
    calls.append(None)
    if len(calls) == 1:
        raise RuntimeError('the roof is leaking')


@pytest.fixture
def spun():
    """Give a node that is called back in a thread, which has to outlive the test."""
    ended = []

    def go_on(node):
        try:
            spin(node.executor, node)
        except ExternalShutdownException:
            pass
        except Exception as error:  # noqa: BLE001 that is what is looked for
            ended.append(error)

    with lone_node('spun') as node:
        thread = threading.Thread(target=go_on, args=(node,))
        thread.start()
        yield node
        node.context.shutdown()
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert ended == []


@pytest.mark.parametrize('what', ['timer', 'service', 'slow service', 'task'])
def test_the_executor_goes_on_whatever_it_calls_raises(spun, what):
    calls, answered = [], threading.Event()

    def answer(request, response):
        raise_once(calls=calls)
        return response

    async def answer_slowly(request, response):
        return answer(request, response)

    def call():
        raise_once(calls=calls)
        answered.set()

    if what == 'timer':
        spun.create_timer(0.01, call)
    elif what == 'task':
        for _ in range(2):
            spun.executor.create_task(call)
    else:
        spun.create_service(Trigger, 'ask', answer_slowly if 'slow' in what else answer)
        client = spun.create_client(Trigger, 'ask')
        assert client.wait_for_service(DEADLINE)
        client.call_async(Trigger.Request())
        client.call_async(Trigger.Request()).add_done_callback(lambda _: answered.set())

    assert answered.wait(DEADLINE)
    assert len(calls) >= 2


class Unwoken:
    """An executor whose context ends as it begins to wait, which wakes nobody."""

    def __init__(self):
        self.context, self.ended, self.woken = self, False, threading.Event()

    def ok(self):
        return not self.ended

    def spin_once(self, timeout_sec=None):
        self.ended = True
        self.woken.wait(timeout_sec)


def test_an_end_that_does_not_wake_the_executor_is_seen_all_the_same(spun):
    executor = Unwoken()
    thread = threading.Thread(target=spin, args=(executor, spun))
    thread.start()
    thread.join(DEADLINE)
    seen = not thread.is_alive()
    executor.woken.set()
    assert seen


class Failing:
    """An executor that fails at every call, until it has been asked so often."""

    def __init__(self, calls):
        self.context, self.left = self, calls

    def ok(self):
        return self.left > 0

    def spin_once(self, timeout_sec):
        self.left -= 1
        raise RuntimeError('the roof is leaking')


def test_an_executor_that_does_nothing_but_fail_leaves_the_processor_to_others(spun, monkeypatch):
    pauses = []
    monkeypatch.setattr(callbacks.time, 'sleep', pauses.append)
    with pytest.raises(RuntimeError, match='leaking'):
        spin(Failing(50), spun)

    assert len(pauses) == 48 and min(pauses) > 0.01


def breaking(method, broken):
    """Make a method that raises while `broken` is set."""

    def call(self, *arguments):
        if broken.is_set():
            raise RuntimeError('the roof is leaking')
        return method(self, *arguments)

    return call
