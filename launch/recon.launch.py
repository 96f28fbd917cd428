# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff takes `launch` for the folder of that name.
# ruff: noqa: I001
"""
Start the reconstruction node and bring it to active.

An argument that is left empty overrides nothing, so that the value in `params_file` holds. The
launch ends with an error where the node ends with one or, with `on_failure:=shutdown`, where it
cannot be brought to active.
"""

import os
from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    LogInfo,
    OpaqueFunction,
    RegisterEventHandler,
    Shutdown,
)
from launch.event_handlers import OnProcessStart
from launch.events import matches_action
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode, Node
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare
from lifecycle_msgs.msg import Transition

PACKAGE = 'xstreamvggt_ros'
NODE = 'reconstruction'
# What config/recon.rviz shows of the node, by absolute names.
SHOWN = ('map', 'points', 'path', 'image', 'depth/image', 'confidence')
# And what it shows of others.
LOOP_CLOSURES = '/loop_closures'

# Argument, default, description.
ARGUMENTS = (
    ('image_topic', '', 'Image topic to reconstruct (input.image_topics).'),
    (
        'camera_info_topic',
        '',
        "CameraInfo topic of one camera; empty, and with several: the image topic's sibling.",
    ),
    ('preset', '', 'Shape of the network: tiny, small or streamvggt (model.preset).'),
    ('checkpoint', '', 'Weights: a file, a Hugging Face repository or random (model.checkpoint).'),
    ('revision', '', 'Commit of the Hugging Face repository, which needs one (model.revision).'),
    ('device', '', 'auto, cpu, cuda or cuda:<i> (model.device).'),
    (
        'budget',
        '',
        'Tokens to remember per layer, or none for no bound; unsets every other (cache).',
    ),
    ('budget_frames', '', 'Frames to remember; unsets a budget in tokens or MiB (cache).'),
    ('bits', '', 'Bits per remembered number (cache.bits).'),
    ('namespace', '', 'Namespace of the node, of its relative topics and of RViz.'),
    ('relative_tf', 'false', 'true: /tf and /tf_static are those of the namespace.'),
    ('use_sim_time', '', 'true: take the time from /clock.'),
    ('autostart', 'true', 'false: leave configuring and activating to a lifecycle manager.'),
    ('on_failure', 'shutdown', 'Where autostart fails, shutdown: end with an error; stay: wait.'),
    ('rviz', 'false', 'true: show clouds, map, path, pictures and frames in RViz.'),
    ('viewer', 'false', 'true: the same and more at http://127.0.0.1:8080, in a browser.'),
    ('loop_closures', '', 'MarkerArray of a SLAM system beside, for RViz and the viewer.'),
    ('log_level', 'info', 'Least severity to log: debug, info, warn, error or fatal.'),
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; the rest is decided when their values are known."""
    shipped = PathJoinSubstitution([FindPackageShare(PACKAGE), 'config', 'recon.yaml'])
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in ARGUMENTS
    ]
    params_file = DeclareLaunchArgument(
        'params_file', default_value=shipped, description='YAML file of parameters.'
    )
    return LaunchDescription([*arguments, params_file, OpaqueFunction(function=_start)])


def _start(context: LaunchContext) -> list:
    given = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    parameters = [_existing('params_file', LaunchConfiguration('params_file').perform(context))]
    overrides = _overrides(given)
    if overrides:
        parameters.append(overrides)
    node = LifecycleNode(
        package=PACKAGE,
        executable='reconstruction_node',
        name=NODE,
        namespace=given['namespace'],
        parameters=parameters,
        remappings=_remappings(given),
        arguments=['--ros-args', '--log-level', given['log_level']],
        output='screen',
        on_exit=[OpaqueFunction(function=_ended)],
    )
    stay = _choice('on_failure', given['on_failure'], ('shutdown', 'stay')) == 'stay'
    # The handlers first: the process may start before they would be heard.
    handlers = _bring_up(node, stay) if _boolean('autostart', given['autostart']) else []
    views = [_rviz(given)] if _boolean('rviz', given['rviz']) else []
    if _boolean('viewer', given['viewer']):
        views.append(_viewer(given))
    return [*handlers, node, *views]


def _rviz(given: dict[str, str]) -> Node:
    view = PathJoinSubstitution([FindPackageShare(PACKAGE), 'config', 'recon.rviz'])
    sim_time = given['use_sim_time']
    return Node(
        package='rviz2',
        executable='rviz2',
        name='rviz',
        namespace=given['namespace'],
        arguments=['-d', view],
        parameters=[{'use_sim_time': _boolean('use_sim_time', sim_time)}] if sim_time else [],
        # Relative, as the node's are: a namespace may come of an including launch file too.
        remappings=[
            *_tf_remappings(given),
            *((f'/{NODE}/{topic}', f'{NODE}/{topic}') for topic in SHOWN),
            *([(LOOP_CLOSURES, given['loop_closures'])] if given['loop_closures'] else []),
        ],
        output='screen',
    )


def _viewer(given: dict[str, str]) -> Node:
    sim_time = given['use_sim_time']
    # Relative: the page is in the namespace of the node, whoever pushed one about this file.
    arguments = ['--node', NODE]
    if given['loop_closures']:
        arguments += ['--loop-closures', given['loop_closures']]
    return Node(
        package=PACKAGE,
        executable='xstreamvggt_view',
        name='view',
        namespace=given['namespace'],
        arguments=arguments,
        parameters=[{'use_sim_time': _boolean('use_sim_time', sim_time)}] if sim_time else [],
        remappings=_tf_remappings(given),
        output='screen',
    )


def _remappings(given: dict[str, str]) -> list[tuple[str, str]]:
    """Turn the arguments that name topics, not parameters, into remappings."""
    remappings = _tf_remappings(given)
    if given['camera_info_topic']:
        remappings.append(('camera_info', given['camera_info_topic']))
    return remappings


def _tf_remappings(given: dict[str, str]) -> list[tuple[str, str]]:
    relative = _boolean('relative_tf', given['relative_tf'])
    return [('/tf', 'tf'), ('/tf_static', 'tf_static')] if relative else []


def _overrides(given: dict[str, str]) -> dict:
    """Turn the arguments that were given into parameters of the right type."""
    overrides = {}
    for argument, parameter in (
        ('preset', 'model.preset'),
        ('checkpoint', 'model.checkpoint'),
        ('revision', 'model.revision'),
        ('device', 'model.device'),
    ):
        if given[argument]:
            # Typed, or a checkpoint called 7 would arrive as a number.
            overrides[parameter] = ParameterValue(given[argument], value_type=str)
    if given['image_topic']:
        overrides['input.image_topics'] = ParameterValue(
            [given['image_topic']], value_type=list[str]
        )
    overrides.update(_budget(given['budget'], given['budget_frames']))
    if given['bits']:
        overrides['cache.bits'] = _integer('bits', given['bits'])
    if given['use_sim_time']:
        overrides['use_sim_time'] = _boolean('use_sim_time', given['use_sim_time'])
    return overrides


def _budget(tokens: str, frames: str) -> dict:
    """Set the budget that was given, and unset whatever a parameters file gives."""
    if not tokens and not frames:
        return {}
    if tokens and frames:
        raise ValueError(f'budget:={tokens} and budget_frames:={frames}: give one of them')
    none = tokens == 'none'
    return {
        'cache.budget': 'none' if none else '',
        'cache.budget_tokens': _integer('budget', tokens) if tokens and not none else 0,
        'cache.budget_frames': _integer('budget_frames', frames) if frames else 0,
        'cache.budget_mib': 0,
    }


def _bring_up(node: LifecycleNode, stay: bool) -> list:
    """Configure the node once its process runs, and activate it once it is configured."""
    return [
        RegisterEventHandler(
            OnProcessStart(
                target_action=node,
                on_start=[_change(node, Transition.TRANSITION_CONFIGURE)],
            )
        ),
        RegisterEventHandler(
            OnStateTransition(
                target_lifecycle_node=node,
                # Only then: a node that was deactivated by hand shall stay so.
                start_state='configuring',
                goal_state='inactive',
                entities=[_change(node, Transition.TRANSITION_ACTIVATE)],
            )
        ),
        _on_refusal(node, 'configuring', 'unconfigured', 'configure', stay),
        _on_refusal(node, 'activating', 'inactive', 'activate', stay),
    ]


def _on_refusal(
    node: LifecycleNode, start: str, goal: str, transition: str, stay: bool
) -> RegisterEventHandler:
    """End the launch, or say how to go on, where the node goes back from a transition."""

    def refused(context: LaunchContext) -> list:
        why = f'{NODE} could not {transition}; mend what it says above'
        if stay:
            # It is activated by the handler above once it is configured.
            again = f'ros2 lifecycle set {node.node_name} {transition}'
            return [LogInfo(msg=f'{why}, then: {again}')]
        raise RuntimeError(f'{why} and launch again, or keep the launch with on_failure:=stay')

    return RegisterEventHandler(
        OnStateTransition(
            target_lifecycle_node=node,
            start_state=start,
            goal_state=goal,
            entities=[OpaqueFunction(function=refused)],
        )
    )


def _ended(context: LaunchContext) -> list:
    """End the launch with the node, with an error where it ended with one."""
    if context.is_shutdown:
        return []
    code = context.locals.event.returncode
    if code:
        raise RuntimeError(f'{NODE} has ended with exit code {code}; its own words are above')
    return [Shutdown(reason=f'{NODE} has ended')]


def _change(node: LifecycleNode, transition: int) -> EmitEvent:
    return EmitEvent(
        event=ChangeState(lifecycle_node_matcher=matches_action(node), transition_id=transition)
    )


def _integer(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f'{name}:={text} is no whole number') from None


def _existing(name: str, text: str) -> str:
    """Give the path of a file, ~ expanded."""
    # Not by pathlib, which raises where there is no such user.
    path = os.path.expanduser(text)
    if not Path(path).is_file():
        raise ValueError(f'{name}:={text} is no file')
    return path


def _choice(name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise ValueError(f'{name}:={text} is not one of {", ".join(known)}')
    return text


def _boolean(name: str, text: str) -> bool:
    if text.lower() not in ('true', 'false'):
        raise ValueError(f'{name}:={text} is neither true nor false')
    return text.lower() == 'true'
