# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded run is looked at frame by frame, and in a browser with a slider."""

from contextlib import closing, contextmanager
import socket
import threading
import time

from browser import Browser, DEADLINE, needs_chromium
from geometry_msgs.msg import Point, TransformStamped
import pytest
from rclpy.serialization import serialize_message
from relay import answer, SIZE
from std_msgs.msg import Header, UInt32
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from xstreamvggt_ros.files.bags import BagWriter
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.rig.recorder import FRAME_OUTPUTS
from xstreamvggt_ros.view.command import main
from xstreamvggt_ros.view.contents import PageContents
from xstreamvggt_ros.view.replay import Playing, Replay

SECOND = 10**9


def write_line(writer, seconds, x):
    """Record a loop closure from the origin."""
    marker = Marker(type=Marker.LINE_LIST, points=[Point(), Point(x=x)])
    marker.header.frame_id = 'map'
    writer.write('/slam/loops', serialize_message(MarkerArray(markers=[marker])), seconds * SECOND)


@pytest.fixture(scope='module')
def bag(tmp_path_factory):
    """Record five frames, one a second, the last two of another stream."""
    path = tmp_path_factory.mktemp('bag') / 'run.mcap'
    with BagWriter(path) as writer:
        for name, kind in FRAME_OUTPUTS.items():
            package = kind.__module__.partition('.')[0]
            writer.add_topic(f'/r/{name}', f'{package}/msg/{kind.__name__}')
        writer.add_topic('/r/stream', 'std_msgs/msg/UInt32', latched=True)
        writer.add_topic('/r/path', 'nav_msgs/msg/Path', latched=True)
        writer.add_topic('/r/map', 'sensor_msgs/msg/PointCloud2', latched=True)
        writer.add_topic('/tf_static', 'tf2_msgs/msg/TFMessage', latched=True)
        writer.add_topic('/slam/loops', 'visualization_msgs/msg/MarkerArray', latched=True)
        standing = TransformStamped(child_frame_id='base')
        # Said when the robot was started, by another clock.
        standing.header.frame_id, standing.header.stamp.sec = 'map', 10**6
        writer.write('/tf_static', serialize_message(TFMessage(transforms=[standing])), SECOND)
        write_line(writer, 100, 1.0)
        for index in range(5):
            at = (100 + index) * SECOND
            if index in (0, 3):
                stream = serialize_message(UInt32(data=1 + index // 3))
                writer.write('/r/stream', stream, at - 1000)
            header = Header(frame_id='map')
            header.stamp.sec = 1 + index
            for offset, (name, message) in enumerate(answer(header, 1 + index // 3).items()):
                if name == 'pose':
                    message.pose.position.x = float(index)
                writer.write(f'/r/{name}', serialize_message(message), at + offset)
            if index == 2:
                write_line(writer, 102, 7.0)
            if index in (2, 4):
                whole = answer(header)['points']
                writer.write('/r/map', serialize_message(whole), at + SECOND // 2)
    return path


def test_a_frame_is_shown_with_the_path_that_led_to_it(bag):
    contents = PageContents()
    with Replay(contents, bag) as replay:
        assert len(replay) == 5 and replay.duration == 4
        replay.show(2)
        assert contents.get('pose').position[0] == 2
        assert contents.get('path')[:, 0].tolist() == [0, 1, 2]
        assert contents.get('stream') == 1
        assert contents.get('depth').shape == SIZE
        assert len(contents.get('points').points) == 5
        # Of the stream before there is no map in the end.
        assert len(contents.get('map').points) == 0
        assert contents.get('transforms').keys() == {'map', 'base'}
        replay.show(4)
        assert len(contents.get('map').points) == 5
        assert contents.get('pose').position[0] == 4
        assert contents.get('path')[:, 0].tolist() == [3, 4]
        assert contents.get('stream') == 2
        begun = contents.count('stream')
        replay.show(3)
        assert contents.count('stream') == begun
        replay.show(0)
        assert contents.get('pose').position[0] == 0
        assert contents.get('stream') == 1
        assert len(contents.get('map').points) == 0


def test_loop_closures_are_those_that_were_known_then(bag):
    contents = PageContents()
    with Replay(contents, bag, loop_closures='slam/loops') as replay:
        for frame, x in ((1, 1), (4, 7), (0, 1), (3, 7)):
            replay.show(frame)
            assert contents.get('closures').points[:, 1, 0].tolist() == [x]
    with pytest.raises(InputError, match=r'has no topic /loops; it has: /r/'):
        Replay(contents, bag, loop_closures='/loops')


def test_what_is_damaged_costs_no_more_than_itself(tmp_path, caplog):
    path = tmp_path / 'run.mcap'
    with BagWriter(path) as writer:
        writer.add_topic('/r/pose', 'geometry_msgs/msg/PoseStamped')
        writer.add_topic('/r/frame', 'diagnostic_msgs/msg/DiagnosticArray')
        writer.add_topic('/r/path', 'nav_msgs/msg/Path', latched=True)
        writer.add_topic('/r/stream', 'std_msgs/msg/UInt32', latched=True)
        writer.add_topic('/tf', 'tf2_msgs/msg/TFMessage')
        for index in range(4):
            header = Header(frame_id='map')
            header.stamp.sec = 1 + index
            pose = answer(header, 1)['pose']
            if index == 1:
                pose.pose.position.x = float('nan')
            whole = serialize_message(pose)
            writer.write('/r/pose', whole[:9] if index == 2 else whole, (100 + index) * SECOND)
        writer.write('/tf', b'\0\1\0\0', 100 * SECOND)
        nowhere, here = (
            TransformStamped(header=header, child_frame_id=name) for name in ('nowhere', 'here')
        )
        nowhere.transform.translation.x = float('nan')
        moved = TFMessage(transforms=[nowhere, here])
        writer.write('/tf', serialize_message(moved), 103 * SECOND)
    contents = PageContents()
    with Replay(contents, path) as replay:
        assert len(replay) == 2
        replay.show(1)
    assert contents.get('pose') is not None
    assert 'pose cannot be shown' in caplog.text
    assert contents.get('transforms').keys() == {'map', 'here'}


@pytest.mark.parametrize(
    ('seconds', 'frame'), [(-3, 0), (0, 0), (0.9, 0), (1, 1), (3.5, 3), (4, 4), (99, 4)]
)
def test_the_frame_of_a_time_is_the_newest_then(bag, seconds, frame):
    with Replay(PageContents(), bag) as replay:
        assert replay.at(seconds) == frame


def test_playing_goes_on_with_the_clock_and_stands_at_the_end(bag, monkeypatch):
    now = [50.0]
    monkeypatch.setattr('xstreamvggt_ros.view.replay.time.monotonic', lambda: now[0])
    with Replay(PageContents(), bag) as replay:
        playing = Playing(replay)
        playing.go(1)
        playing.update()
        now[0] += 10
        playing.update()
        assert playing.frame == 1
        playing.play(True)
        now[0] += 2.2
        playing.update()
        assert (playing.frame, playing.playing) == (3, True)
        now[0] += 5
        playing.update()
        assert (playing.frame, playing.playing) == (4, False)
        playing.play(True)
        playing.update()
        assert (playing.frame, playing.playing) == (0, True)


def test_a_bag_of_something_else_is_refused_with_what_it_has(tmp_path, capsys):
    path = tmp_path / 'other.mcap'
    with BagWriter(path) as writer:
        writer.add_topic('/camera/info', 'std_msgs/msg/UInt32')
        writer.write('/camera/info', serialize_message(UInt32()), 1)
    with pytest.raises(InputError, match=r'holds no outputs .* it has: /camera/info'):
        Replay(PageContents(), path)
    assert main(['--bag', str(path)]) == 2
    assert 'holds no outputs' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('none.mcap', 'does not exist'),
        ('notes.txt', 'is no bag: neither .mcap nor .db3'),
        ('folder', 'is no bag: neither .mcap nor .db3'),
        ('empty.mcap', 'is empty'),
        ('first.bag', 'is a ROS 1 bag'),
    ],
)
def test_what_is_no_bag_is_refused_with_a_sentence(tmp_path, capsys, name, words):
    (tmp_path / 'folder').mkdir()
    for each, content in (('notes.txt', b'a'), ('empty.mcap', b''), ('first.bag', b'#ROSBAG')):
        (tmp_path / each).write_bytes(content)
    assert main(['--bag', str(tmp_path / name)]) == 2
    assert words in capsys.readouterr().err


@contextmanager
def served(bag, port, capsys, *options):
    """Serve a bag; what the program said when it did."""
    ended = threading.Event()
    arguments = ['--bag', str(bag), '--port', str(port), *options]
    thread = threading.Thread(target=main, args=(arguments, ended))
    thread.start()
    said, end = '', time.monotonic() + DEADLINE
    try:
        while '\n' not in said:
            assert thread.is_alive() and time.monotonic() < end, 'nothing was said'
            said += capsys.readouterr().out
            time.sleep(0.02)
        yield said
    finally:
        ended.set()
        thread.join()


def test_the_program_says_where_it_is_and_nothing_else(bag, capsys):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        with served(bag, port, capsys) as said:
            pass
    said += capsys.readouterr().out
    assert port < int(said.strip().removeprefix('view at http://127.0.0.1:')) < port + 100


def test_it_ends_at_once_however_seldom_it_draws(bag, capsys):
    with served(bag, 0, capsys, '--rate', '0.1'):
        begin = time.monotonic()
    # Ten seconds lie between two pictures.
    assert time.monotonic() - begin < 8


@needs_chromium
def test_a_browser_has_a_slider_and_moves_through_the_run(bag, capsys):
    with served(bag, 0, capsys) as said, closing(Browser()) as browser:
        # Once: a page that is loaded anew has to connect anew.
        browser.open(said.strip().removeprefix('view at '))
        browser.wait(lambda: '0.00 s of 4.00 s' in browser.text(), 'the first frame')
        browser.click('play')
        browser.wait(lambda: '4.00 s of 4.00 s' in browser.text(), 'the last frame')
        assert browser.complaints() == []
