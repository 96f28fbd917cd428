# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags played over DDS, and what arrives."""

import signal
import subprocess
import sys
import threading
import time

import pytest
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.files.bags import BagWriter, typestore
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.rig.bag_player import play_bag, PlayOptions
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.play import main, parse

pytestmark = pytest.mark.ros
DEADLINE = 20.0
BEGAN = 1_767_225_600_000_000_000
STEP = 20_000_000
STRING, TF = 'std_msgs/msg/String', 'tf2_msgs/msg/TFMessage'
LATCHED = QoSProfile(depth=1000, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)


def _text(index):
    # Lengths that end on every alignment: padding is part of the bytes.
    return typestore().serialize_cdr(
        typestore().types[STRING](data='x' * index + str(index)), STRING
    )


def _empty_tf():
    return typestore().serialize_cdr(typestore().types[TF](transforms=[]), TF)


@pytest.fixture
def bag(tmp_path):
    """Write ten texts, 20 ms apart, behind a latched transform."""
    path = tmp_path / 'some.mcap'
    with BagWriter(path) as writer:
        writer.add_topic('/text', STRING)
        writer.add_topic('/tf_static', TF, latched=True)
        writer.write('/tf_static', _empty_tf(), BEGAN)
        for index in range(10):
            writer.write('/text', _text(index), BEGAN + index * STEP)
    return path


class Listener:
    """Collect the raw messages of topics, each with its QoS or all with one, in a thread."""

    def __init__(self, *topics, qos=100):
        self.heard = []
        self._link = Link('listener')
        self._over = threading.Event()
        for kind, topic, *own in topics:
            self._link.node.create_subscription(
                kind,
                topic,
                lambda cdr, topic=topic: self.heard.append((topic, cdr, time.monotonic())),
                *(own or [qos]),
                raw=True,
            )
        self._thread = threading.Thread(target=self._spin)

    def _spin(self):
        while not self._over.is_set():
            self._link.spin_for(0.05)

    def on(self, topic):
        return [cdr for name, cdr, _ in self.heard if name == topic]

    def wait_for(self, topic, count):
        end = time.monotonic() + DEADLINE
        while len(self.on(topic)) < count:
            assert time.monotonic() < end, f'{len(self.on(topic))} of {count} on {topic}'
            self._over.wait(0.01)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(DEADLINE)
        self._link.__exit__()


def play(path, told=None, **options):
    with Link('player') as link:
        say = (lambda text: None) if told is None else told.append
        return play_bag(link, path, PlayOptions(patience_s=DEADLINE, **options), say)


def test_messages_arrive_bit_for_bit_and_in_order(bag):
    with Listener((String, '/text')) as listener:
        assert play(bag) == 11
        listener.wait_for('/text', 10)
    assert listener.on('/text') == [_text(index) for index in range(10)]


@pytest.mark.parametrize('plugin', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize('mode', [CompressionMode.NONE, CompressionMode.MESSAGE, 'storage'])
def test_every_kind_of_bag_is_played(tmp_path, plugin, mode):
    if mode == 'storage':
        # The layout that each of the two formats is compressed in as a whole.
        mode = CompressionMode.STORAGE if plugin is StoragePlugin.MCAP else CompressionMode.FILE
    writer = Writer(tmp_path / 'bag', version=9, storage_plugin=plugin)
    if mode is not CompressionMode.NONE:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        connection = writer.add_connection('/text', STRING, typestore=typestore())
        for index in range(3):
            writer.write(connection, BEGAN + index, _text(index))
    with Listener((String, '/text')) as listener:
        play(tmp_path / 'bag')
        listener.wait_for('/text', 3)
    assert listener.on('/text') == [_text(index) for index in range(3)]


@pytest.mark.parametrize('rate', [0.5, 1.0])
def test_the_rhythm_is_the_recording_s_times_the_rate(bag, rate):
    with Listener((String, '/text')) as listener:
        play(bag, rate=rate)
        listener.wait_for('/text', 10)
    times = [when for *_, when in listener.heard]
    # 0.18 s of the bag; never much faster, and on a busy machine slower.
    assert times[-1] - times[0] > 0.5 * 0.18 / rate


def test_a_high_rate_is_faster(tmp_path):
    path = tmp_path / 'long.mcap'
    with BagWriter(path) as writer:
        writer.add_topic('/text', STRING)
        for index in range(5):
            writer.write('/text', _text(index), BEGAN + index * 10**9)
    with Listener((String, '/text')) as listener:
        play(path, rate=100.0)
        listener.wait_for('/text', 5)
    # Four seconds of the bag.
    assert listener.heard[-1][2] - listener.heard[0][2] < 2.0


def _seconds(cdr):
    from rclpy.serialization import deserialize_message

    clock = deserialize_message(cdr, Clock).clock
    return clock.sec * 10**9 + clock.nanosec


def test_the_clock_begins_with_the_bag_and_goes_on_a_hundred_times_a_second(bag):
    with Listener((String, '/text'), (Clock, '/clock')) as listener:
        play(bag, clock_hz=100.0)
        listener.wait_for('/text', 10)
    times = [_seconds(cdr) for cdr in listener.on('/clock')]
    assert times[0] == BEGAN
    assert {b - a for a, b in zip(times[:-1], times[1:], strict=True)} == {10_000_000}
    assert BEGAN + 8 * STEP <= times[-1] <= BEGAN + 10 * STEP


def test_the_clock_can_go_with_the_messages(bag):
    with Listener((Clock, '/clock'), (String, '/text')) as listener:
        play(bag, clock_hz=0, topics=('/text',))
        listener.wait_for('/text', 10)
        listener.wait_for('/clock', 10)
    assert [_seconds(cdr) for cdr in listener.on('/clock')] == [
        BEGAN + index * STEP for index in range(10)
    ]


def test_a_latched_topic_is_offered_latched_though_its_messages_lie_before_the_start(bag):
    # Of one node, which announces them in this order: who found the second has found the first.
    with Listener((TFMessage, '/tf_static', LATCHED), (String, '/text')) as listener:
        play(bag, start_s=0.09, duration_s=0.06)
        listener.wait_for('/text', 3)
        listener.wait_for('/tf_static', 1)
    assert listener.on('/text') == [_text(index) for index in (5, 6, 7)]
    assert listener.on('/tf_static') == [_empty_tf()]


def test_only_the_topics_asked_for_are_played(tmp_path, bag):
    with Listener((TFMessage, '/tf_static'), qos=LATCHED) as listener:
        assert play(bag, topics=('/tf_static',)) == 1
        listener.wait_for('/tf_static', 1)
    with pytest.raises(InputError, match='no topic /nothing; it has: /text, /tf_static'):
        play(bag, topics=('/nothing',))


def test_a_type_that_is_not_installed_is_named_and_left_out(tmp_path):
    path = tmp_path / 'foreign'
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        for topic, kind in (('/text', STRING), ('/radar', 'nowhere_msgs/msg/Echo')):
            definition = 'string data\n'
            connection = writer.add_connection(
                topic, kind, msgdef=definition, rihs01='RIHS01_' + '0' * 64
            )
            writer.write(connection, BEGAN, _text(1))
    told = []
    with Listener((String, '/text')) as listener:
        assert play(path, told) == 1
        listener.wait_for('/text', 1)
    (line,) = [line for line in told if 'left out' in line]
    assert line.startswith('left out: /radar: nowhere_msgs/msg/Echo cannot be imported')
    assert 'install or source the package nowhere_msgs' in line
    with pytest.raises(InputError, match='nothing in the bag can be played: /radar'):
        play(path, topics=('/radar',))


def test_nobody_who_listens_is_waited_for_and_said(bag):
    told = []
    with Link('player') as link:
        play_bag(link, bag, PlayOptions(patience_s=0.2), told.append)
    assert told[1:] == [
        'waiting up to 0.2 s for a subscriber to one of: /text',
        'nobody has subscribed within 0.2 s; playing all the same. A lifecycle node listens only '
        'while it is active: activate it, or start reconstruction_node with --autostart',
    ]


def test_a_start_behind_the_end_is_refused(bag):
    with pytest.raises(InputError, match=r'no messages from 7 s on; the bag has 0\.2 s'):
        with Link('player') as link:
            play_bag(link, bag, PlayOptions(start_s=7.0, patience_s=0.0))


def test_it_loops_until_ctrl_c_and_ends_with_0(bag):
    command = [sys.executable, '-m', 'xstreamvggt_ros.rig.play']
    with Listener((String, '/text'), (Clock, '/clock')) as listener:
        process = subprocess.Popen(
            [*command, str(bag), '--loop', '--clock', '--rate', '2'],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            listener.wait_for('/text', 25)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert process.returncode == 0, output
    assert 'Traceback' not in output
    assert output.splitlines()[-1] == 'xstreamvggt_play: stopped'
    for index, cdr in enumerate(listener.on('/text')[:25]):
        sent = bytes(_text(index % 10))
        # Between processes DDS pads to four bytes (the RTPS wire protocol).
        assert (cdr[: len(sent)], len(cdr)) == (sent, (len(sent) + 3) // 4 * 4)
    times = [_seconds(cdr) for cdr in listener.on('/clock')]
    assert times.count(BEGAN) >= 3


def test_topics_are_remapped_as_in_any_node(bag):
    with Listener((String, '/other')) as listener:
        code = main([str(bag), '--wait', '20', '--ros-args', '-r', '/text:=/other'])
        listener.wait_for('/other', 10)
    assert code == 0


def test_what_is_no_bag_is_said(tmp_path, capsys):
    (tmp_path / 'notes.txt').write_text('no bag')
    assert main([str(tmp_path / 'notes.txt')]) == 2
    assert 'is no rosbag2' in capsys.readouterr().err


def test_the_command_line_is_rosbag2_s():
    options = parse(['bag', '--clock', '--topics', '/a', '/b', '--rate', '2'])
    assert (options.clock, options.topics, options.rate) == (100.0, ['/a', '/b'], 2.0)
    assert parse(['bag', '--clock', 'message']).clock == 0
    assert parse(['bag']).clock is None
    with pytest.raises(SystemExit):
        parse(['bag', '--rate', '0'])
