# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file, run by launch itself."""

from launch_rig import install, main_of, Peer, ROOT
import pytest
from ros_rig import image_message, picture
from sensor_msgs.msg import Image, PointCloud2
from tf2_msgs.msg import TFMessage

launch_pytest = pytest.importorskip(
    'launch_pytest', reason='launch is not installed: it comes with ROS 2, not with the wheels'
)
from launch.actions import GroupAction, IncludeLaunchDescription  # noqa: E402, I100, I202
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402, I100, I202
from launch_ros.actions import PushRosNamespace  # noqa: E402, I100, I202

from launch import LaunchDescription  # noqa: E402, I100, I202

pytestmark = [pytest.mark.ros, pytest.mark.slow]
LAUNCH_FILE = ROOT / 'launch' / 'recon.launch.py'
# Subscribes as RViz does: to what the view names and to the transforms.
VIEWER = """
import rclpy
from sensor_msgs.msg import PointCloud2
from tf2_msgs.msg import TFMessage
import yaml
with open(sys.argv[sys.argv.index('-d') + 1]) as file:
    displays = yaml.safe_load(file)['Visualization Manager']['Displays']
rclpy.init()
node = rclpy.create_node('viewer')
for topic in ('/tf', '/tf_static'):
    node.create_subscription(TFMessage, topic, print, 1)
for display in displays:
    if 'Topic' in display:
        node.create_subscription(PointCloud2, display['Topic']['Value'], print, 1)
rclpy.spin(node)
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Lay this tree out as a workspace installs it."""
    programs = {
        ('xstreamvggt_ros', 'reconstruction_node'): main_of('node'),
        ('xstreamvggt_ros', 'xstreamvggt_view'): main_of('view.command'),
        ('rviz2', 'rviz2'): VIEWER,
    }
    install(tmp_path, programs)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path), prepend=':')


@pytest.fixture
def peer():
    """Talk to what was launched."""
    made = Peer()
    yield made
    made.close()


def launched(**arguments):
    return LaunchDescription(
        [
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(LAUNCH_FILE)),
                launch_arguments=list(arguments.items()),
            ),
            launch_pytest.actions.ReadyToTest(),
        ]
    )


@launch_pytest.fixture
def with_arguments(installed):
    return launched(
        image_topic='/front/picture',
        checkpoint='random',
        device='cpu',
        budget='1024',
        bits='8',
        namespace='robot',
        relative_tf='true',
        use_sim_time='false',
    )


@pytest.mark.launch(fixture=with_arguments)
def test_it_reaches_active_and_reconstructs_with_what_the_arguments_say(peer):
    name = '/robot/reconstruction'
    clouds, transforms = [], []
    peer.node.create_subscription(PointCloud2, f'{name}/points', clouds.append, 5)
    peer.node.create_subscription(TFMessage, '/robot/tf', transforms.append, 100)
    publisher = peer.node.create_publisher(Image, '/front/picture', 5)
    peer.wait(publisher.get_subscription_count)

    def answered():
        publisher.publish(image_message(picture()))
        return clouds and transforms

    peer.wait(answered)
    assert peer.state(name) == 'active'
    assert peer.parameters(
        name,
        'cache.budget_tokens',
        'cache.budget_frames',
        'cache.bits',
        'input.image_topics',
        'model.device',
        'use_sim_time',
    ) == [1024, 0, 8, ['/front/picture'], 'cpu', False]


@launch_pytest.fixture
def with_a_viewer(installed, tmp_path):
    file = tmp_path / 'odom.yaml'
    file.write_text('/**: {ros__parameters: {output: {tf_mode: odom}}}')
    return launched(
        params_file=str(file),
        checkpoint='random',
        device='cpu',
        budget='1024',
        namespace='robot',
        relative_tf='true',
        rviz='true',
    )


@pytest.mark.launch(fixture=with_a_viewer)
def test_rviz_and_the_transforms_follow_into_the_namespace(peer):
    count = peer.node.count_subscribers
    # The node and the viewer.
    peer.wait(lambda: count('/robot/tf') == count('/robot/tf_static') == 2)
    outputs = [f'/robot/reconstruction/{name}' for name in ('map', 'points', 'path')]
    peer.wait(lambda: all(map(count, [*outputs, '/robot/reconstruction/depth/image'])))
    assert not any(map(count, ('/tf', '/tf_static', '/reconstruction/points')))


@launch_pytest.fixture
def robots_of_a_fleet(installed):
    """Start two robots, each in a namespace that is pushed about one that is given."""
    launches = [
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(str(LAUNCH_FILE)),
            launch_arguments={'namespace': name, 'viewer': 'true', 'autostart': 'false'}.items(),
        )
        for name in ('robot1', 'robot2')
    ]
    groups = [GroupAction([PushRosNamespace('fleet'), each]) for each in launches]
    return LaunchDescription([*groups, launch_pytest.actions.ReadyToTest()])


@pytest.mark.launch(fixture=robots_of_a_fleet)
def test_each_robot_of_a_fleet_is_followed_by_its_own_page(peer):
    names = [f'/fleet/{name}/reconstruction/stream' for name in ('robot1', 'robot2')]
    # Nobody but a page listens there.
    peer.wait(lambda: [peer.node.count_subscribers(name) for name in names] == [1, 1])
    assert not peer.node.count_subscribers('/robot1/reconstruction/stream')


@launch_pytest.fixture
def with_a_file(installed, tmp_path):
    file = tmp_path / 'mine.yaml'
    file.write_text(
        '/**: {ros__parameters: {cache: {budget_frames: 5, bits: 2}, output: {scale: 3.0}}}'
    )
    return launched(params_file=str(file), autostart='false')


@pytest.mark.launch(fixture=with_a_file)
def test_empty_arguments_override_nothing_and_without_autostart_it_stays_unconfigured(peer):
    assert peer.parameters(
        '/reconstruction', 'cache.budget_frames', 'cache.bits', 'output.scale'
    ) == [5, 2, 3.0]
    assert peer.state('/reconstruction') == 'unconfigured'


def test_every_argument_is_described():
    source = PythonLaunchDescriptionSource(str(LAUNCH_FILE))
    description = source.try_get_launch_description_without_context()

    arguments = {argument.name: argument for argument in description.get_launch_arguments()}
    assert {'image_topic', 'budget', 'params_file', 'autostart'} <= arguments.keys()
    assert all(
        argument.description.endswith('.') or '(' in argument.description
        for argument in arguments.values()
    )
    assert arguments['budget'].default_value[0].text == ''
