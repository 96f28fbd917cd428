# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The replay and the examples, run by launch itself."""

from pathlib import Path
import sys
import time

import pytest
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import serialize_message
from ros_rig import image_message, picture
from sensor_msgs.msg import PointCloud2

from xstreamvggt_ros.io.bags import BagWriter

launch_pytest = pytest.importorskip(
    'launch_pytest', reason='launch is not installed: it comes with ROS 2, not with the wheels'
)
from launch.actions import IncludeLaunchDescription  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402

from launch import LaunchDescription, LaunchService  # noqa: E402

ROOT = Path(__file__).parents[2]
LAUNCH = ROOT / 'launch'
FRAMES = 3
BEGAN = 1_767_225_600_000_000_000
DEADLINE = 60.0
EXECUTABLE = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
from xstreamvggt_ros.MODULE import main
sys.exit(main())
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Lay this tree out as a workspace installs it."""
    share, programs = tmp_path / 'share', tmp_path / 'lib' / 'xstreamvggt_ros'
    index = share / 'ament_index' / 'resource_index' / 'packages'
    for folder in (index, share / 'xstreamvggt_ros', programs):
        folder.mkdir(parents=True)
    (index / 'xstreamvggt_ros').touch()
    (share / 'xstreamvggt_ros' / 'config').symlink_to(ROOT / 'config')
    for name, module in (('reconstruction_node', 'node'), ('xstreamvggt_play', 'player.cli')):
        (programs / name).write_text(EXECUTABLE.replace('MODULE', module))
        (programs / name).chmod(0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path), prepend=':')


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
def test_a_bag_is_reconstructed_in_simulated_time():
    context = Context()
    rclpy.init(context=context)
    node = rclpy.create_node('peer', context=context, use_global_arguments=False)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    clouds = []
    node.create_subscription(PointCloud2, '/reconstruction/points', clouds.append, 5)
    end = time.monotonic() + DEADLINE
    simulated = 0
    while not (clouds and simulated) and time.monotonic() < end:
        executor.spin_once(timeout_sec=0.05)
        simulated = node.count_publishers('/clock')
    executor.shutdown()
    node.destroy_node()
    context.shutdown()
    assert clouds[0].header.stamp.sec in range(BEGAN // 10**9, BEGAN // 10**9 + 3)
    assert simulated == 1


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
