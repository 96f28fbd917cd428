# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff takes `launch` for the folder of that name.
# ruff: noqa: I001
"""
Reconstruct a bag: recon.launch.py in simulated time, and the bag played under /clock.

The bag is played as soon as the node is active, with ROS's own player where it is installed, else
with the package's; a player that fails ends the launch with an error, and so does
`shutdown_at_end` where nothing of the bag was reconstructed. All arguments of
recon.launch.py are taken too, except `use_sim_time`, which is true here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import math
import os
from pathlib import Path
import time

from ament_index_python.packages import get_package_prefix, PackageNotFoundError
from diagnostic_msgs.msg import DiagnosticArray
from launch import Event, LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
    TimerAction,
)
from launch.event_handlers import OnProcessExit
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import StateTransition
from launch_ros.ros_adapters import get_ros_node
from launch_ros.utilities import prefix_namespace

from xstreamvggt_ros.transport.shared_memory import roomy_environment

PACKAGE = 'xstreamvggt_ros'
NODE = 'reconstruction'
CLOCK_HZ = '100'
# Seconds without a word of the node on /diagnostics, which it sends once a second.
SILENCE_S = 10.0
LOOK_S = 0.2
IMAGES = {'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'}
# Not by a substitution, which `--show-args` could not resolve to show its arguments too.
RECON = str(Path(__file__).with_name('recon.launch.py'))

# Argument, default, description.
ARGUMENTS = (
    ('rate', '1.0', 'Seconds of the bag to play in a second.'),
    ('loop', 'false', 'true: begin again at the end, as a new stream.'),
    (
        'shutdown_at_end',
        'false',
        'true: end everything once the images of the bag are reconstructed; false: keep the map.',
    ),
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and include recon.launch.py, which declares its own."""
    arguments = [
        DeclareLaunchArgument('bag', description='rosbag2 to play: a folder, .mcap or .db3.'),
        *(
            DeclareLaunchArgument(name, default_value=default, description=description)
            for name, default, description in ARGUMENTS
        ),
    ]
    recon = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(RECON),
        # Its other arguments reach it by their names.
        launch_arguments={'use_sim_time': 'true'}.items(),
    )
    # Before recon.launch.py is included, which would overwrite what was given.
    return LaunchDescription([*arguments, OpaqueFunction(function=_replay), recon])


def _replay(context: LaunchContext) -> list:
    given = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    bag = _existing('bag', LaunchConfiguration('bag').perform(context))
    if context.launch_configurations.get('use_sim_time', 'true').lower() != 'true':
        raise ValueError('use_sim_time is always true in a replay: leave it out')
    loop = _boolean('loop', given['loop'])
    player = ExecuteProcess(
        cmd=_play_command(bag, _rate(given['rate']), loop),
        output='screen',
        name='player',
        additional_env=roomy_environment(),
    )
    name = _full_name(context)
    over = _over(name, _boolean('shutdown_at_end', given['shutdown_at_end']))
    return [
        RegisterEventHandler(
            OnStateTransition(
                # Once: a node that is deactivated and activated again gets no second player.
                matcher=_activation_of(name),
                entities=[LogInfo(msg=f'playing {bag}'), player],
                handle_once=True,
            )
        ),
        RegisterEventHandler(
            OnProcessExit(target_action=player, on_exit=[OpaqueFunction(function=over)])
        ),
    ]


def _over(name: str, shutdown: bool) -> Callable[[LaunchContext], list]:
    """Make what is done when the player has ended."""

    def over(context: LaunchContext) -> list:
        if context.is_shutdown:
            return []
        code = context.locals.event.returncode
        if code:
            raise RuntimeError(f'the player has ended with exit code {code}; see its words above')
        if not shutdown:
            return [LogInfo(msg='the bag is over; the node stays active')]
        return [LogInfo(msg='the bag is over'), *_Waiting(context, name).until_done()]

    return over


class _Waiting:
    """Ends the launch once the node has answered every image that reached it."""

    def __init__(self, context: LaunchContext, name: str) -> None:
        """Listen to what the node of that full name says of itself."""
        self._name = name
        # The newest two reports: images may still be on their way at the first.
        self._reports: deque[dict[str, str]] = deque(maxlen=2)
        self._heard_at = time.monotonic()
        self._node = get_ros_node(context)
        self._subscription = self._node.create_subscription(
            DiagnosticArray, '/diagnostics', self._take, 10
        )

    def until_done(self) -> list:
        """Give what ends the launch, or looks again."""
        return [TimerAction(period=LOOK_S, actions=[OpaqueFunction(function=self._look)])]

    def _take(self, message: DiagnosticArray) -> None:
        for status in message.status:
            # Of several robots each says so of its own.
            if status.name.lstrip('/') == f'{self._name.lstrip("/")}: reconstruction':
                self._heard_at = time.monotonic()
                self._reports.append({each.key: each.value for each in status.values})

    def _look(self, context: LaunchContext) -> list:
        """End where all is answered; RuntimeError where nothing was reconstructed."""
        silent = time.monotonic() - self._heard_at
        if silent > SILENCE_S:
            raise RuntimeError(
                f'{self._name} has said nothing on /diagnostics for {silent:.0f} s; whether it '
                'answered the images of the bag is not known'
            )
        reports = list(self._reports)
        if len(reports) < 2:
            return self.until_done()
        (before, *_), (frames_in, processed, dropped) = map(_counts, reports)
        if before != frames_in or frames_in > processed + dropped:
            return self.until_done()
        if not frames_in:
            raise RuntimeError(
                f'no image of the bag reached {self._name}, which listens to '
                f'{self._image_topics()}; give the topic of the bag as image_topic:='
            )
        if not processed:
            reasons = ', '.join(
                f'{key} {value}'
                for key, value in reports[-1].items()
                if key.startswith('dropped_') and value != '0'
            )
            raise RuntimeError(
                f'{self._name} reconstructed none of the {frames_in} images that reached it '
                f'({reasons}); its own words are above'
            )
        reason = 'the bag is over, and its images are answered'
        return [LogInfo(msg=reason), Shutdown(reason=reason)]

    def _image_topics(self) -> str:
        namespace, _, name = self._name.rpartition('/')
        listened = self._node.get_subscriber_names_and_types_by_node(name, namespace or '/')
        found = [topic for topic, kinds in listened if not IMAGES.isdisjoint(kinds)]
        return ', '.join(found) or 'no image topic'


def _counts(report: dict[str, str]) -> tuple[int, int, int]:
    """Give how many images came in, were processed and were dropped."""
    came, processed, dropped = (
        int(report[f'frames_{kind}']) for kind in ('in', 'processed', 'dropped')
    )
    return came, processed, dropped


def _full_name(context: LaunchContext) -> str:
    """Give the node's name as recon.launch.py will, in namespaces pushed about this file too."""
    given = context.launch_configurations
    pushed, own = given.get('ros_namespace'), given.get('namespace', '')
    # Of an empty one this makes a slash too many.
    namespace = prefix_namespace(pushed, own) if own else pushed or ''
    return '/'.join(['', *filter(None, namespace.split('/')), NODE])


def _activation_of(name: str) -> Callable[[Event], bool]:
    def matches(event: Event) -> bool:
        return (
            isinstance(event, StateTransition)
            and event.action.node_name == name
            and event.goal_state == 'active'
        )

    return matches


def _play_command(bag: str, rate: str, loop: bool) -> list[str]:
    """Give the command of ROS's own player, or of the package's where there is no rosbag2."""
    options = ['--rate', rate, '--clock', CLOCK_HZ, *(['--loop'] if loop else [])]
    try:
        get_package_prefix('ros2bag')
    except PackageNotFoundError:
        # Beside the node's own executable, which is where launch finds that.
        program = f'{get_package_prefix(PACKAGE)}/lib/{PACKAGE}/xstreamvggt_play'
        return [program, bag, *options]
    return ['ros2', 'bag', 'play', bag, *options]


def _existing(name: str, text: str) -> str:
    # Not by pathlib, which raises where there is no such user.
    path = os.path.expanduser(text)
    if not Path(path).exists():
        raise ValueError(f'{name}:={text} does not exist')
    return path


def _rate(text: str) -> str:
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise ValueError(f'rate:={text} is no number above 0')
    return text


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in ('true', 'false'):
        raise ValueError(f'{name}:={text} is neither true nor false')
    return text.lower() == 'true'
