# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How launches end: with an error that says why, or when all is done; by launch itself."""

import os
from runpy import run_path
import signal
import subprocess
import sys
from threading import Thread

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped
from launch_rig import install, main_of, Peer, ROOT
import pytest
from rclpy.serialization import serialize_message
from ros_rig import image_message, picture

from xstreamvggt_ros.files.bags import BagWriter

pytest.importorskip(
    'launch_pytest', reason='launch is not installed: it comes with ROS 2, not with the wheels'
)
from launch import LaunchContext, LaunchService  # noqa: E402, I100, I202

pytestmark = [pytest.mark.ros, pytest.mark.slow]
DEADLINE = 90.0
FRAMES = 12
BEGAN = 1_767_225_600_000_000_000
DYING = 'sys.exit("the node has no torch")'
FAILING_PLAYER = 'sys.exit("the player cannot play")'
LAUNCH = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
name, *arguments = sys.argv[1:]
service = LaunchService()
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(
    PythonLaunchDescriptionSource(name),
    launch_arguments=[tuple(each.split(':=')) for each in arguments],
)]))
sys.exit(service.run())
"""


@pytest.fixture
def launch(tmp_path):
    """Give what launches a file, with other programs in the place of node and player."""

    def run(name, *arguments, until='', node=None, player=None):
        install(
            tmp_path,
            {
                ('xstreamvggt_ros', 'reconstruction_node'): node or main_of('node'),
                ('xstreamvggt_ros', 'xstreamvggt_play'): player or main_of('rig.play'),
            },
        )
        command = [sys.executable, '-c', LAUNCH, str(ROOT / 'launch' / name), *arguments]
        sourced = os.environ.get('AMENT_PREFIX_PATH')
        prefixes = os.pathsep.join(filter(None, (str(tmp_path), sourced)))
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, 'AMENT_PREFIX_PATH': prefixes},
        )
        said = ''
        for line in process.stdout:
            said += line
            if until and until in line:
                process.send_signal(signal.SIGINT)
        return process.wait(DEADLINE), said

    return run


def test_a_node_that_dies_before_its_services_are_there_ends_the_launch(launch):
    code, said = launch('recon.launch.py', node=DYING)

    assert code == 1
    assert 'the node has no torch' in said
    assert 'reconstruction has ended with exit code 1' in said


def test_a_refused_configure_ends_the_launch(launch):
    code, said = launch('recon.launch.py', 'checkpoint:=/nowhere.pt', 'device:=cpu')

    assert code == 1
    assert '/nowhere.pt' in said
    assert 'reconstruction could not configure; mend what it says above' in said


def test_a_refused_configure_can_be_mended_where_the_launch_stays(launch):
    arguments = ('checkpoint:=/nowhere.pt', 'device:=cpu', 'on_failure:=stay')
    code, said = launch('recon.launch.py', *arguments, until='ros2 lifecycle set /reconstruction')

    assert 'ros2 lifecycle set /reconstruction configure' in said
    assert code == 0, 'it was ended by hand'


@pytest.mark.parametrize(
    ('name', 'argument', 'said'),
    [
        ('recon.launch.py', 'params_file:=~/no_such_file.yaml', 'no_such_file.yaml is no file'),
        ('recon.launch.py', 'on_failure:=hope', 'is not one of shutdown, stay'),
        ('recon.launch.py', 'budget:=much', 'budget:=much is no whole number'),
        ('replay.launch.py', 'bag:=~/no_such_bag', 'no_such_bag does not exist'),
        ('replay.launch.py', 'rate:=fast', 'rate:=fast is no number above 0'),
        ('replay.launch.py', 'rate:=0', 'rate:=0 is no number above 0'),
        ('replay.launch.py', 'use_sim_time:=false', 'use_sim_time is always true'),
        ('usb_camera.launch.py', 'image_topic:=/other', 'image_topic:=/other has no effect'),
        ('realsense.launch.py', 'image_topic:=/other', 'image_topic:=/other has no effect'),
        ('lifecycle_manager.launch.py', 'autostart:=true', 'autostart is false here'),
    ],
)
def test_an_argument_that_cannot_be_meant_ends_the_launch(launch, tmp_path, name, argument, said):
    given = [argument]
    if name == 'replay.launch.py' and 'bag' not in argument:
        given.append(f'bag:={tmp_path}')
    code, output = launch(name, *given, node=DYING)

    assert code == 1
    assert said in output


def test_a_tilde_is_the_home(launch, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    (tmp_path / 'mine.yaml').write_text('/**: {ros__parameters: {model: {checkpoint: /mine.pt}}}')
    code, said = launch('recon.launch.py', 'params_file:=~/mine.yaml', 'device:=cpu')

    assert code == 1
    assert '/mine.pt' in said


def test_a_player_that_fails_ends_the_replay(launch, tmp_path):
    code, said = launch(
        'replay.launch.py',
        f'bag:={tmp_path}',
        'checkpoint:=random',
        'device:=cpu',
        'budget:=1024',
        player=FAILING_PLAYER,
    )

    assert code == 1
    assert 'the player has ended with exit code 1' in said


def test_a_replay_that_ends_with_its_bag_answers_every_image_first(launch, tmp_path):
    bag, file = tmp_path / 'images.mcap', tmp_path / 'every.yaml'
    with BagWriter(bag) as writer:
        writer.add_topic('/camera/image_raw', 'sensor_msgs/msg/Image')
        for index in range(FRAMES):
            # Faster than any network answers.
            log_ns = BEGAN + index * 1_000_000
            message = image_message(picture(index), log_ns / 1e9)
            writer.write('/camera/image_raw', serialize_message(message), log_ns)
    file.write_text('/**: {ros__parameters: {input: {queue: every}}}')
    peer, poses, ended = Peer(), [], []
    peer.node.create_subscription(PoseStamped, '/reconstruction/pose', poses.append, FRAMES)
    given = ('image_topic:=/camera/image_raw', 'checkpoint:=random', 'device:=cpu')
    arguments = (f'bag:={bag}', f'params_file:={file}', 'shutdown_at_end:=true', *given)
    thread = Thread(target=lambda: ended.append(launch('replay.launch.py', *arguments)))
    thread.start()
    try:
        peer.wait(lambda: not thread.is_alive())
    finally:
        peer.close()

    code, said = ended[0]
    assert code == 0
    assert 'its images are answered' in said
    assert len(poses) == FRAMES


@pytest.mark.parametrize(
    ('camera', 'pushed', 'images'),
    [
        ('camera', '', '/camera/image_raw'),
        ('/front/cam', '', '/front/cam/image_raw'),
        ('front/cam/', '/robot', '/robot/front/cam/image_raw'),
        ('/front/cam', '/robot', '/front/cam/image_raw'),
    ],
)
def test_images_are_looked_for_where_the_camera_sends_them(camera, pushed, images):
    context = LaunchContext()
    context.launch_configurations.update(camera=camera, ros_namespace=pushed)
    start = run_path(str(ROOT / 'launch' / 'usb_camera.launch.py'))['_driver']

    setting, container = start(context)
    setting.visit(context)

    assert context.launch_configurations['camera_image'] == images


@pytest.mark.parametrize(
    ('given', 'name'),
    [
        ({}, '/reconstruction'),
        ({'namespace': 'robot1'}, '/robot1/reconstruction'),
        ({'namespace': '/robot1/', 'ros_namespace': '/fleet'}, '/robot1/reconstruction'),
        ({'namespace': 'robot1', 'ros_namespace': '/fleet'}, '/fleet/robot1/reconstruction'),
        ({'namespace': '', 'ros_namespace': 'fleet'}, '/fleet/reconstruction'),
    ],
)
def test_a_replay_knows_the_full_name_of_its_node(given, name):
    context = LaunchContext()
    context.launch_configurations.update(given)
    full_name = run_path(str(ROOT / 'launch' / 'replay.launch.py'))['_full_name']

    assert full_name(context) == name


def status(name, **counts):
    """Give what a node says of its images."""
    values = [KeyValue(key=f'frames_{key}', value=str(value)) for key, value in counts.items()]
    return DiagnosticStatus(name=f'{name}: reconstruction', values=values)


@pytest.fixture
def waiting():
    """Give what waits for the end of a robot's images, and what its reports lead to."""
    context = LaunchService().context
    made = run_path(str(ROOT / 'launch' / 'replay.launch.py'))['_Waiting']
    mine = made(context, '/robot1/reconstruction')
    # It hears nobody but the test.
    context.locals.ros_adapter.shutdown()

    def after(*arrays):
        for array in arrays:
            mine._take(DiagnosticArray(status=array))
        first, *_ = mine._look(context)
        return type(first).__name__

    return after


def counts(came, processed, dropped):
    return {'in': came, 'processed': processed, 'dropped': dropped}


def test_images_of_another_robot_are_not_waited_for(waiting):
    others = [
        status('reconstruction', **counts(3, 3, 0)),
        status('robot2/reconstruction', **counts(3, 3, 0)),
    ]
    own = [*others, status('robot1/reconstruction', **counts(3, 2, 0))]
    assert waiting(own, own) == 'TimerAction'
    assert waiting([status('robot1/reconstruction', **counts(3, 2, 1)), *others]) == 'LogInfo'


def test_images_that_still_arrive_are_waited_for(waiting):
    reports = [[status('robot1/reconstruction', **counts(n, n, 0))] for n in (2, 3)]
    assert waiting(reports[0]) == 'TimerAction'
    assert waiting(reports[1]) == 'TimerAction'
    assert waiting(reports[1]) == 'LogInfo'


def test_a_replay_of_which_every_image_was_dropped_is_an_error(waiting):
    report = status('robot1/reconstruction', **counts(3, 0, 3))
    report.values.append(KeyValue(key='dropped_encoding', value='3'))
    report.values.append(KeyValue(key='dropped_superseded', value='0'))
    with pytest.raises(RuntimeError, match=r'none of the 3 images .* \(dropped_encoding 3\)'):
        waiting([report], [report])


def test_a_replay_whose_images_never_come_names_the_topic(launch, tmp_path):
    bag = tmp_path / 'images.mcap'
    with BagWriter(bag) as writer:
        writer.add_topic('/camera/image_raw', 'sensor_msgs/msg/Image')
        message = image_message(picture(0), BEGAN / 1e9)
        writer.write('/camera/image_raw', serialize_message(message), BEGAN)
    given = ('image_topic:=/another/image', 'checkpoint:=random', 'device:=cpu')
    arguments = (f'bag:={bag}', 'namespace:=robot1', 'shutdown_at_end:=true', *given)
    code, said = launch('replay.launch.py', *arguments)

    assert code == 1
    assert 'no image of the bag reached /robot1/reconstruction, which listens to' in said
    assert '/another/image' in said.rpartition('which listens to')[2]
