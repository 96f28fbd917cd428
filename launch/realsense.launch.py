# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff takes `launch` for the folder of that name.
# ruff: noqa: I001
"""
Example: a RealSense camera, whose depth gives the reconstruction its metres.

The driver aligns depth to colour; config/realsense.yaml takes the scale from it. All arguments of
recon.launch.py are taken too, except `image_topic`, which is the camera's.
"""

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from xstreamvggt_ros.transport.shared_memory import roomy_environment

HERE = Path(__file__)
# Not by a substitution, which `--show-args` could not resolve to show its arguments too.
RECON = str(HERE.with_name('recon.launch.py'))
PARAMETERS = str(HERE.parents[1] / 'config' / 'realsense.yaml')
# The driver's usual names, which config/realsense.yaml has as well.
NAMESPACE = 'camera'
NAME = 'camera'
IMAGE_TOPIC = '/camera/camera/color/image_raw'

# Argument, default, type, parameter of the driver, description.
CAMERA_ARGUMENTS = (
    (
        'color_profile',
        '640x480x30',
        str,
        'rgb_camera.color_profile',
        'Width, height and rate of colour; 4:3 as the network was trained.',
    ),
    (
        'depth_profile',
        '640x480x30',
        str,
        'depth_module.depth_profile',
        'The same of depth, before it is aligned to colour.',
    ),
    (
        'serial_no',
        '',
        str,
        'serial_no',
        'Which camera, where there are several: _ and its number.',
    ),
    (
        'publish_tf',
        'false',
        bool,
        'publish_tf',
        'true: the driver gives the optical frame a parent; take output.tf_mode odom or off then.',
    ),
)


def generate_launch_description() -> LaunchDescription:
    """Start the driver and include recon.launch.py on its colour images."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, _, _, description in CAMERA_ARGUMENTS
    ]
    params_file = DeclareLaunchArgument(
        'params_file',
        default_value=PARAMETERS,
        description='YAML file of parameters; what it does not give is as recon.yaml has it.',
    )
    driver = Node(
        package='realsense2_camera',
        executable='realsense2_camera_node',
        namespace=NAMESPACE,
        name=NAME,
        parameters=[
            {
                'enable_color': True,
                'enable_depth': True,
                'align_depth.enable': True,
                **{
                    parameter: ParameterValue(LaunchConfiguration(name), value_type=kind)
                    for name, _, kind, parameter, _ in CAMERA_ARGUMENTS
                },
            }
        ],
        output='screen',
        # Or its images are larger than what Fast DDS carries.
        additional_env=roomy_environment(),
    )
    recon = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(RECON),
        launch_arguments={'image_topic': IMAGE_TOPIC}.items(),
    )
    # Before recon.launch.py is included, which would overwrite what was given.
    refusing = OpaqueFunction(function=_refuse_topic)
    return LaunchDescription([*arguments, params_file, refusing, driver, recon])


def _refuse_topic(context: LaunchContext) -> None:
    """End with a ValueError where another topic is asked for than the camera's."""
    given = context.launch_configurations.get('image_topic', '')
    if given not in ('', IMAGE_TOPIC):
        raise ValueError(
            f'image_topic:={given} has no effect here, where the images are those of the camera '
            f'on {IMAGE_TOPIC}; use recon.launch.py for another topic'
        )
