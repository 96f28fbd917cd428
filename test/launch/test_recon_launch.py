# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch file, run by launch itself."""

from pathlib import Path
import sys
import time

from lifecycle_msgs.srv import GetState
import pytest
from rcl_interfaces.srv import GetParameters
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import parameter_value_to_python
from ros_rig import image_message, picture
from sensor_msgs.msg import Image, PointCloud2
from tf2_msgs.msg import TFMessage

launch_pytest = pytest.importorskip(
    'launch_pytest', reason='launch is not installed: it comes with ROS 2, not with the wheels'
)
from launch.actions import IncludeLaunchDescription  # noqa: E402
from launch.launch_description_sources import PythonLaunchDescriptionSource  # noqa: E402

from launch import LaunchDescription  # noqa: E402

pytestmark = [pytest.mark.ros, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
LAUNCH_FILE = ROOT / 'launch' / 'recon.launch.py'
DEADLINE = 60.0
EXECUTABLE = f"""#!{sys.executable}
import sys
sys.path.insert(0, {str(ROOT)!r})
from xstreamvggt_ros.node import main
sys.exit(main())
"""
# Subscribes as RViz does: to what the view names and to the transforms.
VIEWER = f"""#!{sys.executable}
import sys
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
    share = tmp_path / 'share'
    index = share / 'ament_index' / 'resource_index' / 'packages'
    for folder in (index, share / 'xstreamvggt_ros'):
        folder.mkdir(parents=True)
    (share / 'xstreamvggt_ros' / 'config').symlink_to(ROOT / 'config')
    for package, name, text in (
        ('xstreamvggt_ros', 'reconstruction_node', EXECUTABLE),
        ('rviz2', 'rviz2', VIEWER),
    ):
        (index / package).touch()
        program = tmp_path / 'lib' / package / name
        program.parent.mkdir(parents=True)
        program.write_text(text)
        program.chmod(0o755)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path), prepend=':')


@pytest.fixture
def peer():
    """Talk to what was launched."""
    made = Peer()
    yield made
    made.close()


class Peer:
    """A node with a deadline on every wait."""

    def __init__(self):
        self._context = Context()
        rclpy.init(context=self._context)
        self.node = rclpy.create_node('peer', context=self._context, use_global_arguments=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def close(self):
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.shutdown()

    def wait(self, condition):
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f'waited {DEADLINE} s'
            self._executor.spin_once(timeout_sec=0.05)

    def ask(self, kind, service, request):
        """Call until there is an answer: the first may find nobody who listens yet."""
        client = self.node.create_client(kind, service)
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            if not client.wait_for_service(1.0):
                continue
            future = client.call_async(request)
            self._executor.spin_until_future_complete(future, 2.0)
            if future.done():
                return future.result()
        pytest.fail(f'no answer of {service} after {DEADLINE} s')

    def state(self, node):
        return self.ask(GetState, f'{node}/get_state', GetState.Request()).current_state.label

    def parameters(self, node, *names):
        request = GetParameters.Request(names=names)
        values = self.ask(GetParameters, f'{node}/get_parameters', request).values
        return [parameter_value_to_python(value) for value in values]


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
