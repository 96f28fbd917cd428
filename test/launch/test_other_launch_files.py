# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The replay and the examples, run by launch itself."""

from launch_rig import install, main_of, Peer, ROOT
import pytest
from rclpy.serialization import serialize_message
from ros_rig import image_message, picture
from sensor_msgs.msg import PointCloud2

from xstreamvggt_ros.files.bags import BagWriter
from xstreamvggt_ros.parameters import PARAMETERS

launch_pytest = pytest.importorskip(
    'launch_pytest', reason='launch is not installed: it comes with ROS 2, not with the wheels'
)
from launch.actions import IncludeLaunchDescription  # noqa: E402, I100, I202
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402, I100, I202

from launch import LaunchDescription, LaunchService  # noqa: E402, I100, I202

LAUNCH = ROOT / 'launch'
FRAMES = 3
BEGAN = 1_767_225_600_000_000_000
# Stands for nav2's, of which its parameters are asked here.
MANAGER = """
import rclpy
rclpy.init()
rclpy.spin(rclpy.create_node('manager'))
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Lay this tree out as a workspace installs it."""
    programs = {
        ('xstreamvggt_ros', 'reconstruction_node'): main_of('node'),
        ('xstreamvggt_ros', 'xstreamvggt_play'): main_of('rig.play'),
        ('nav2_lifecycle_manager', 'lifecycle_manager'): MANAGER,
    }
    install(tmp_path, programs)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path), prepend=':')


@pytest.fixture
def peer():
    """Talk to what was launched."""
    made = Peer()
    yield made
    made.close()


@pytest.fixture
def bag(tmp_path):
    path = tmp_path / 'images.mcap'
    with BagWriter(path) as writer:
        writer.add_topic('/camera/image_raw', 'sensor_msgs/msg/Image')
        for index in range(FRAMES):
            log_ns = BEGAN + index * 500_000_000
            message = image_message(picture(index), log_ns / 1e9)
            writer.write('/camera/image_raw', serialize_message(message), log_ns)
    return path


def _included(name, **arguments):
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(LAUNCH / name)),
        launch_arguments=list(arguments.items()),
    )


@launch_pytest.fixture
def replay(installed, bag):
    return LaunchDescription(
        [
            _included(
                'replay.launch.py',
                bag=str(bag),
                image_topic='/camera/image_raw',
                checkpoint='random',
                device='cpu',
                budget='1024',
                loop='true',
            ),
            launch_pytest.actions.ReadyToTest(),
        ]
    )


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.launch(fixture=replay)
def test_a_bag_is_reconstructed_in_simulated_time(peer):
    clouds = []
    peer.node.create_subscription(PointCloud2, '/reconstruction/points', clouds.append, 5)
    peer.wait(lambda: clouds and peer.node.count_publishers('/clock'))

    assert clouds[0].header.stamp.sec in range(BEGAN // 10**9, BEGAN // 10**9 + 3)
    assert peer.node.count_publishers('/clock') == 1


@launch_pytest.fixture
def managed(installed, tmp_path, given):
    file = tmp_path / 'mine.yaml'
    file.write_text('/**/reconstruction: {ros__parameters: {use_sim_time: true}}')
    return LaunchDescription(
        [
            _included('lifecycle_manager.launch.py', params_file=str(file), **given),
            launch_pytest.actions.ReadyToTest(),
        ]
    )


@pytest.mark.ros
@pytest.mark.slow
@pytest.mark.launch(fixture=managed)
@pytest.mark.parametrize(
    ('given', 'node_s', 'manager_s'),
    [({}, True, False), ({'use_sim_time': 'false'}, False, False)]
    + [({'use_sim_time': 'true'}, True, True)],
)
def test_the_manager_takes_simulated_time_only_where_it_is_given(peer, given, node_s, manager_s):
    assert peer.parameters('/reconstruction', 'use_sim_time') == [node_s]
    assert peer.parameters('/lifecycle_manager_reconstruction', 'use_sim_time') == [manager_s]


def test_the_manager_waits_longer_than_the_weights_may_take(installed):
    service = LaunchService()
    source = PythonLaunchDescriptionSource(str(LAUNCH / 'lifecycle_manager.launch.py'))
    arguments = source.get_launch_description(service.context).get_launch_arguments()

    (waits,) = [each for each in arguments if each.name == 'service_timeout']
    assert float(waits.default_value[0].text) > PARAMETERS['model.load_timeout'].default


@pytest.mark.parametrize(
    'name, expected',
    [
        ('replay.launch.py', {'bag', 'rate', 'loop', 'rviz'}),
        ('usb_camera.launch.py', {'camera', 'video_device', 'framerate'}),
        ('lifecycle_manager.launch.py', {'service_timeout', 'manager_autostart'}),
    ],
)
def test_every_argument_is_described_and_recon_s_are_taken_too(installed, name, expected):
    service = LaunchService()
    source = PythonLaunchDescriptionSource(str(LAUNCH / name))
    description = source.get_launch_description(service.context)

    described = {argument.name: argument for argument in description.get_launch_arguments()}
    assert expected | {'checkpoint', 'budget', 'params_file'} <= described.keys()
    assert all(
        argument.description.endswith('.') or '(' in argument.description
        for argument in described.values()
    )
