# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The names of the node's topics, resolved: what ROS would refuse later is refused before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
import re

from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.validate_full_topic_name import validate_full_topic_name

from xstreamvggt_ros.node.interface import DEPTH
from xstreamvggt_ros.parameters import InputParameters

# What DDS leaves of the 255 bytes of a name, less what ROS and transports put around it.
MAX_LENGTH = 200


def check_topics(node: Node, parameters: InputParameters) -> None:
    """
    Refuse topics that cannot be subscribed to once they are resolved, by parameter and value.

    One topic under two spellings, and what the node publishes itself, are refused too. ValueError
    names what would do where that can be guessed.
    """
    images = {topic: _resolve(node, 'input.image_topics', topic) for topic in parameters.topics}
    doubles = [topic for topic, count in Counter(images.values()).items() if count > 1]
    if doubles:
        raise ValueError(
            f'input.image_topics is {list(parameters.image_topics)}, of which several are '
            f'{doubles[0]}; give each camera a topic of its own'
        )
    if parameters.depth_topic:
        images['depth'] = _resolve(node, 'input.depth_topic', parameters.depth_topic)
    own = f'{node.get_fully_qualified_name().rstrip("/")}/'
    for resolved in images.values():
        if resolved.startswith(own):
            raise ValueError(
                f'{resolved} is a topic of this node; give the one that the camera publishes'
            )
    for output in _camera_outputs(parameters):
        _resolve(node, 'input.camera_names', output)


def _camera_outputs(parameters: InputParameters) -> Iterator[str]:
    if len(parameters.names) > 1:
        for name in parameters.names:
            yield DEPTH.topic(f'~/{name}')


def _resolve(node: Node, parameter: str, topic: str) -> str:
    try:
        resolved = node.resolve_topic_name(topic)
        validate_full_topic_name(resolved)
    except (InvalidTopicNameException, RuntimeError, ValueError) as error:
        tidy = re.sub('//+', '/', topic).rstrip('/')
        hint = f'; did you mean {tidy!r}?' if tidy not in ('', topic) else ''
        raise ValueError(
            f'{parameter} has {topic!r}, which is no topic: {_reason(error)}{hint}'
        ) from error
    if len(resolved) > MAX_LENGTH:
        raise ValueError(
            f'{parameter} has a topic of {len(resolved)} characters, {resolved[:20]!r}…; use at '
            f'most {MAX_LENGTH}'
        )
    return resolved


def _reason(error: Exception) -> str:
    """Give the first line of what rcl says, without the places in its sources."""
    said = re.sub(r', at \S+:\d+', '', str(error).partition('\n')[0])
    return said.strip().rstrip('.:')
