# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node as a process of its own: how it starts, and how it ends."""

from pathlib import Path
import signal
import subprocess
import sys
import time

from lifecycle_msgs.srv import ChangeState, GetState
from lone_node import lone_node
import pytest
from ros_rig import image_message, picture
from sensor_msgs.msg import Image

pytestmark = pytest.mark.ros
ROOT = Path(__file__).parents[2]
DEADLINE = 60.0
# A shell in the background leaves SIGINT ignored, which children inherit.
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from xstreamvggt_ros.node import main
sys.exit(main(sys.argv))
"""


@pytest.fixture
def start():
    """Start programs that run the node, with further words on the command line."""
    started = []

    def go(program, *words):
        process = subprocess.Popen(
            [sys.executable, '-c', program, *words, '--ros-args', '-r', '__ns:=/alone'],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield go
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def process(request, start):
    """Start the node as its executable does, or another program."""
    return start(getattr(request, 'param', PROGRAM))


@pytest.fixture
def bring():
    """Bring the process to a state by a transition."""
    with lone_node('peer') as node:
        yield _bringing(node, node.executor)


def _bringing(node, executor):
    change = node.create_client(ChangeState, '/alone/reconstruction/change_state')
    ask = node.create_client(GetState, '/alone/reconstruction/get_state')

    def wait_for(goal):
        # Asked again and again: the first answers may find nobody who listens yet.
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            future = ask.call_async(GetState.Request())
            executor.spin_until_future_complete(future, 1.0)
            if future.done() and future.result().current_state.label == goal:
                return
        pytest.fail(f'the node is not {goal} after {DEADLINE} s')

    def go(transition, goal):
        assert change.wait_for_service(DEADLINE)
        request = ChangeState.Request()
        request.transition.label = transition
        change.call_async(request)
        wait_for(goal)

    images = node.create_publisher(Image, '/alone/image', 5)

    def publish(message):
        end = time.monotonic() + DEADLINE
        while not images.get_subscription_count():
            assert time.monotonic() < end, 'the node does not listen'
            executor.spin_once(0.1)
        images.publish(message)

    go.publish, go.wait_for = publish, wait_for
    return go


@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_active_node_with_exit_code_0(process, bring, how):
    bring('configure', 'inactive')
    bring('activate', 'active')

    process.send_signal(how)
    output, _ = process.communicate(timeout=DEADLINE)

    assert process.returncode == 0, output
    assert '0 images received' in output
    assert 'Traceback' not in output
    # What a logger says that cannot reach /rosout any more.
    assert 'Failed to publish' not in output


def read_until(process, words):
    """Read what the process says up to a line with these words."""
    seen = ''
    while words not in seen:
        line = process.stdout.readline()
        assert line, seen
        seen += line
    return seen


def test_autostart_brings_the_node_to_active_by_itself(start, bring):
    process = start(PROGRAM, '--autostart')

    read_until(process, 'waiting for images')
    bring.wait_for('active')


def test_an_autostart_that_fails_says_why_and_the_node_waits(start, bring):
    process = start(PROGRAM, '--autostart', '--ros-args', '-p', 'model.device:=abacus')

    said = read_until(process, 'autostart has failed')
    assert "model.device is 'abacus'" in said
    bring.wait_for('unconfigured')


def test_without_autostart_it_says_what_it_waits_for(process, bring):
    read_until(process, 'unconfigured; waiting for configure')
    bring.wait_for('unconfigured')


# A signal that arrives after the executor has asked whether the context lives.
LATE_SIGNAL_PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import rclpy
from rclpy.executors import SingleThreadedExecutor
from xstreamvggt_ros.node import main
spin_once = SingleThreadedExecutor.spin_once
def interrupted(self, timeout_sec=None):
    os.kill(os.getpid(), signal.SIGTERM)
    while rclpy.ok():
        time.sleep(0.001)
    return spin_once(self, timeout_sec)
SingleThreadedExecutor.spin_once = interrupted
sys.exit(main(sys.argv))
"""


@pytest.mark.parametrize('process', [LATE_SIGNAL_PROGRAM], indirect=True)
def test_a_signal_between_two_calls_of_the_executor_ends_the_node_with_exit_code_0(process):
    output, _ = process.communicate(timeout=DEADLINE)

    assert process.returncode == 0, output
    assert 'Traceback' not in output


# A service that raises at its first call, as by a fault in rclpy or here.
FAULTY_PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from xstreamvggt_ros.node.lifecycle import ReconstructionNode
from xstreamvggt_ros.node import main
usual = ReconstructionNode._is_unconfigured
def broken(self, calls=[]):
    calls.append(None)
    if len(calls) == 1:
        raise RuntimeError('the roof is leaking')
    return usual(self)
ReconstructionNode._is_unconfigured = broken
sys.exit(main(sys.argv))
"""


@pytest.mark.parametrize('process', [FAULTY_PROGRAM], indirect=True)
def test_the_node_outlives_a_service_that_raises(process, bring):
    bring('configure', 'unconfigured')
    assert 'the roof is leaking' in read_until(process, 'RuntimeError')
    bring('configure', 'inactive')

    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=DEADLINE)

    assert process.returncode == 0, output
    assert 'Traceback' not in output


# A network that is busy for longer than anybody waits at the end.
SLOW_PROGRAM = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import torch
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.node import main
step = StreamingReconstructor.step
def slow(self, image, keep=True):
    if keep:
        print('busy', flush=True)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            torch.randn(600, 600) @ torch.randn(600, 600)
    return step(self, image, keep)
StreamingReconstructor.step = slow
sys.exit(main(sys.argv))
"""


@pytest.mark.parametrize('signals', [1, 3])
@pytest.mark.parametrize('process', [SLOW_PROGRAM], indirect=True)
def test_a_signal_ends_a_node_that_is_deep_in_the_network(process, bring, signals):
    bring('configure', 'inactive')
    bring('activate', 'active')
    bring.publish(image_message(picture(), 1.0))
    read_until(process, 'busy')

    for _ in range(signals):
        process.send_signal(signal.SIGINT)
        # Not at once: signals of one kind that arrive together are one.
        time.sleep(0.3)
    output, _ = process.communicate(timeout=DEADLINE)

    assert process.returncode == 0, output
    assert 'Traceback' not in output


# A checkpoint on a mount that is gone.
DEAD_DISK_PROGRAM = """
import os, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from xstreamvggt_ros.node import main
usual = os.stat
def hang(path, *arguments, **options):
    if str(path) == '/gone/tiny.pth':
        print('waiting for the disk', flush=True)
        threading.Event().wait()
    return usual(path, *arguments, **options)
os.stat = hang
sys.exit(main(sys.argv))
"""


@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_node_that_waits_for_its_weights(start, bring, how):
    wanted = ('--ros-args', '-p', 'model.checkpoint:=/gone/tiny.pth')
    process = start(DEAD_DISK_PROGRAM, '--autostart', *wanted)
    read_until(process, 'waiting for the disk')
    bring.wait_for('unconfigured')

    process.send_signal(how)
    output, _ = process.communicate(timeout=DEADLINE)

    assert process.returncode == 0, output
    assert 'Traceback' not in output
