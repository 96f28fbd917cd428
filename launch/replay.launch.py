# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff takes `launch` for the folder of that name.
# ruff: noqa: I001
"""
Reconstruct a bag: recon.launch.py in simulated time, and the bag played under /clock.

The bag is played as soon as the node is active, with ROS's own player where it is installed, else
with the package's. All arguments of recon.launch.py are taken too.
"""

from pathlib import Path

from ament_index_python.packages import get_package_prefix, PackageNotFoundError
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    ExecuteProcess,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
)
from launch.event_handlers import OnProcessExit
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import StateTransition

PACKAGE = 'xstreamvggt_ros'
NODE = 'reconstruction'
CLOCK_HZ = '100'
# Not by a substitution, which `--show-args` could not resolve to show its arguments too.
RECON = str(Path(__file__).with_name('recon.launch.py'))

# Argument, default, description.
ARGUMENTS = (
    ('rate', '1.0', 'Seconds of the bag to play in a second.'),
    ('loop', 'false', 'true: begin again at the end, as a new stream.'),
    ('shutdown_at_end', 'false', 'true: end everything with the bag instead of keeping the map.'),
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
    return LaunchDescription([*arguments, OpaqueFunction(function=_replay), recon])


def _replay(context: LaunchContext) -> list:
    given = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    bag = LaunchConfiguration('bag').perform(context)
    loop = _boolean('loop', given['loop'])
    player = ExecuteProcess(
        cmd=_play_command(bag, given['rate'], loop), output='screen', name='player'
    )
    actions = [
        RegisterEventHandler(
            OnStateTransition(
                # Once: a node that is deactivated and activated again gets no second player.
                matcher=_is_active,
                entities=[LogInfo(msg=f'playing {bag}'), player],
                handle_once=True,
            )
        )
    ]
    if _boolean('shutdown_at_end', given['shutdown_at_end']):
        over = Shutdown(reason='the bag is over')
        actions.append(RegisterEventHandler(OnProcessExit(target_action=player, on_exit=[over])))
    return actions


def _is_active(event) -> bool:
    return (
        isinstance(event, StateTransition)
        and event.action.node_name.endswith(f'/{NODE}')
        and event.goal_state == 'active'
    )


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


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in ('true', 'false'):
        raise ValueError(f'{name}:={text} is neither true nor false')
    return text.lower() == 'true'
