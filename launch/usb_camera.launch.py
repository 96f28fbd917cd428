# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff takes `launch` for the folder of that name.
# ruff: noqa: I001
"""
Example: a USB camera and the reconstruction of what it sees.

The camera runs in a container of its own, into which image_proc or an encoder can be loaded to
share its images without copies. All arguments of recon.launch.py are taken too, except
`image_topic`, which is the camera's.
"""

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetLaunchConfiguration,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import ComposableNodeContainer
from launch_ros.descriptions import ComposableNode
from launch_ros.parameter_descriptions import ParameterValue

from xstreamvggt_ros.transport.shared_memory import roomy_environment

# Not by a substitution, which `--show-args` could not resolve to show its arguments too.
RECON = str(Path(__file__).with_name('recon.launch.py'))

# Argument, default, type, description; but for one, named as the parameter of usb_cam.
CAMERA_ARGUMENTS = (
    ('video_device', '/dev/video0', str, 'Device file of the camera.'),
    ('image_width', '640', int, 'Pixels in a row.'),
    ('image_height', '480', int, 'Rows of pixels.'),
    ('framerate', '30.0', float, 'Images a second.'),
    ('pixel_format', 'yuyv2rgb', str, 'Format in which usb_cam reads and converts images.'),
    ('camera_frame_id', 'camera_optical_frame', str, "Optical frame in the images' headers."),
    ('camera_info_url', '', str, 'Calibration, file:///path.yaml; empty: none.'),
)
# usb_cam calls this one by a name that would tell nothing here.
PARAMETER_NAMES = {'camera_frame_id': 'frame_id'}


def generate_launch_description() -> LaunchDescription:
    """Start the driver in a container and include recon.launch.py on its topic."""
    arguments = [
        DeclareLaunchArgument(
            'camera', default_value='camera', description='Namespace of the camera and its topics.'
        ),
        *(
            DeclareLaunchArgument(name, default_value=default, description=description)
            for name, default, _, description in CAMERA_ARGUMENTS
        ),
    ]
    recon = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(RECON),
        launch_arguments={'image_topic': LaunchConfiguration('camera_image')}.items(),
    )
    return LaunchDescription([*arguments, OpaqueFunction(function=_driver), recon])


def _driver(context: LaunchContext) -> list:
    """Start the driver, and say where its images are, whatever namespace was pushed."""
    given = context.launch_configurations
    if given.get('image_topic'):
        raise ValueError(
            f'image_topic:={given["image_topic"]} has no effect here, where the images are those '
            'of the camera; use recon.launch.py for another topic'
        )
    camera = given['camera'].rstrip('/')
    pushed = '' if camera.startswith('/') else given.get('ros_namespace', '')
    full = '/'.join(part for part in (pushed.strip('/'), camera.strip('/')) if part)
    driver = ComposableNode(
        package='usb_cam',
        plugin='usb_cam::UsbCamNode',
        name='usb_cam',
        namespace=f'/{full}',
        parameters=[
            {
                PARAMETER_NAMES.get(name, name): ParameterValue(
                    LaunchConfiguration(name), value_type=kind
                )
                for name, _, kind, _ in CAMERA_ARGUMENTS
            }
        ],
    )
    container = ComposableNodeContainer(
        package='rclcpp_components',
        executable='component_container',
        name='camera_container',
        namespace=f'/{full}',
        composable_node_descriptions=[driver],
        output='screen',
        # Or its images are larger than what Fast DDS carries.
        additional_env=roomy_environment(),
    )
    return [SetLaunchConfiguration('camera_image', f'/{full}/image_raw'), container]
