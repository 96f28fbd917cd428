# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff takes `launch` for the folder of that name.
# ruff: noqa: I001
"""
Example: nav2's lifecycle manager brings the reconstruction up, and down, instead of this package.

All arguments of recon.launch.py are taken too.
"""

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

# Not by a substitution, which `--show-args` could not resolve to show its arguments too.
RECON = str(Path(__file__).with_name('recon.launch.py'))

# Argument, default, description.
ARGUMENTS = (
    (
        'service_timeout',
        '660.0',
        'Seconds that the manager waits for a transition: longer than model.load_timeout, within '
        'which the weights may come.',
    ),
    ('manager_autostart', 'true', 'false: wait for a call of the manager, manage_nodes.'),
    ('namespace', '', 'Namespace of the node and of its manager.'),
    ('use_sim_time', '', 'true: take the time from /clock.'),
)


def generate_launch_description() -> LaunchDescription:
    """Include recon.launch.py without its own bringing up, and start the manager."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in ARGUMENTS
    ]
    recon = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(RECON),
        launch_arguments={'autostart': 'false'}.items(),
    )
    # Before recon.launch.py is included, which would overwrite what was given.
    return LaunchDescription([*arguments, OpaqueFunction(function=_manager), recon])


def _manager(context: LaunchContext) -> list:
    if context.launch_configurations.get('autostart', 'false').lower() != 'false':
        raise ValueError(
            'autostart is false here; whether the manager starts by itself is manager_autostart'
        )
    parameters = {
        'node_names': ['reconstruction'],
        'autostart': _typed('manager_autostart', bool),
        # A bond is nav2's own heartbeat; a lifecycle node of rclpy has none.
        'bond_timeout': 0.0,
        'service_timeout': _typed('service_timeout', float),
    }
    if LaunchConfiguration('use_sim_time').perform(context):
        parameters['use_sim_time'] = _typed('use_sim_time', bool)
    manager = Node(
        package='nav2_lifecycle_manager',
        executable='lifecycle_manager',
        name='lifecycle_manager_reconstruction',
        namespace=LaunchConfiguration('namespace'),
        parameters=[parameters],
        output='screen',
    )
    return [manager]


def _typed(argument: str, kind: type) -> ParameterValue:
    return ParameterValue(LaunchConfiguration(argument), value_type=kind)
