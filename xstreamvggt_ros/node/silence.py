# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Why nothing comes on a topic, each cause by its name with the setting that cures it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rclpy.exceptions import InvalidTopicNameException
from rclpy.node import Node
from rclpy.qos import (
    qos_check_compatible,
    QoSCompatibility,
    QoSDurabilityPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
)
from rclpy.topic_endpoint_info import TopicEndpointInfo
from rclpy.utilities import get_rmw_implementation_identifier
from rclpy.validate_full_topic_name import validate_full_topic_name

from xstreamvggt_ros.messages.kinds import type_name
from xstreamvggt_ros.parameters.quality import override_name
from xstreamvggt_ros.transport.shared_memory import PROFILE

IMAGE, COMPRESSED = 'sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage'
RAW_SETTING = 'input.image_transport raw'
COMPRESSED_SETTING = 'input.image_transport compressed'
# Of the topics that carry images, so many are named.
NAMED = 5
REMEDIES = {
    'rmw_fastrtps': 'Fast DDS drops what is over half a megabyte unless its shared memory is '
    'enlarged; start the process that publishes with '
    f'FASTDDS_DEFAULT_PROFILES_FILE={PROFILE}',
    'rmw_cyclonedds': "raise the kernel's receive buffer (sysctl -w net.core.rmem_max=2147483647)",
}


@dataclass(frozen=True)
class Listening:
    """A subscription: its messages' kind, topic, QoS, how many were lost, and what they are."""

    kind: type
    topic: str
    profile: QoSProfile
    lost: int = 0
    what: str = 'images'

    @property
    def type_name(self) -> str:
        """The messages' type as ROS names it."""
        return type_name(self.kind)


def how_to_carry() -> str:
    """Say what keeps large messages from being lost with the middleware that is used."""
    used = get_rmw_implementation_identifier()
    found = [text for name, text in REMEDIES.items() if used.startswith(name)]
    return (found or ['give the middleware room for them'])[0] + (
        ', or publish smaller or compressed images'
    )


def why_silent(node: Node, listening: Listening) -> str:
    """Give the reason why a subscription receives nothing, as far as the graph knows it."""
    publishers = node.get_publishers_info_by_topic(listening.topic)
    if not publishers:
        return _nobody(node, listening)
    fitting = [each for each in publishers if each.topic_type == listening.type_name]
    if not fitting:
        return _other_type(listening, publishers[0])
    reasons = [_refusal(each, listening) for each in fitting]
    if all(reasons):
        return reasons[0]
    if listening.lost:
        return (
            f'{listening.lost} were sent and lost on their way, too large for what carries them; '
            f'{how_to_carry()}'
        )
    names = ', '.join(sorted({each.node_name for each in fitting}))
    return (
        f'its publisher ({names}) is there and meets the node in type and quality of service, but '
        'sends nothing: is the camera or the bag paused?'
    )


def _nobody(node: Node, listening: Listening) -> str:
    """Say what else there is where nobody publishes."""
    said = 'nobody publishes there: is the camera running, and is the name right?'
    topics = _published(node)
    if listening.what == 'depth images' and f'{listening.topic}/compressedDepth' in topics:
        return (
            f'{said} {listening.topic}/compressedDepth is published: set input.depth_topic to it'
        )
    base = listening.topic.removesuffix('/compressed')
    if listening.topic != base and base in topics:
        return f'nobody publishes there, but {base} is published: set {RAW_SETTING}'
    if f'{base}/compressed' in topics and listening.type_name == IMAGE:
        return f'nobody publishes there, but {base}/compressed is: set {COMPRESSED_SETTING}'
    if topics:
        more = f' and {len(topics) - NAMED} more' if len(topics) > NAMED else ''
        said += f' Images are published on {", ".join(topics[:NAMED])}{more}'
    return said


def _published(node: Node) -> list[str]:
    """Give the topics of images that others publish."""
    own = f'{node.get_fully_qualified_name()}/'
    return sorted(
        name
        for name, kinds in node.get_topic_names_and_types()
        if {IMAGE, COMPRESSED} & set(kinds)
        and not name.startswith(own)
        and _is_ros_name(name)
        and node.count_publishers(name)
    )


def _is_ros_name(topic: str) -> bool:
    """Whether a topic has a name of ROS: DDS itself, and so others in the network, have more."""
    try:
        return validate_full_topic_name(topic)
    except InvalidTopicNameException:
        return False


def _other_type(listening: Listening, publisher: TopicEndpointInfo) -> str:
    """Say how to take what is published in another type."""
    topic, offered = listening.topic, publisher.topic_type
    said = f'{publisher.node_name} publishes {offered} there, not {listening.type_name}: '
    if offered == IMAGE and topic.endswith('/compressedDepth'):
        return said + f'give {topic.removesuffix("/compressedDepth")}, or the topic of such images'
    if offered == COMPRESSED and listening.what == 'depth images':
        return said + 'give the topic of raw depth, or the one that ends in /compressedDepth'
    if offered == COMPRESSED and topic.endswith('/compressedDepth'):
        return said + 'these are depth images; give a topic of colour images'
    if offered == COMPRESSED and listening.type_name == IMAGE:
        return said + (
            f'set {COMPRESSED_SETTING}, and as its topic {topic.removesuffix("/compressed")}, '
            'without the /compressed that is put behind it'
        )
    if offered == IMAGE and listening.type_name == COMPRESSED:
        return said + f'set {RAW_SETTING} and {topic} as the topic'
    return said + f'give the name of a topic of {listening.type_name}'


def _refusal(publisher: TopicEndpointInfo, listening: Listening) -> str:
    """Say in what a publisher's quality of service does not meet the subscription's, '' if so."""
    verdict, why = qos_check_compatible(publisher.qos_profile, listening.profile)
    if verdict != QoSCompatibility.ERROR:
        return ''
    settings = ' and '.join(_policies(publisher.qos_profile, listening.profile, listening.topic))
    return (
        f'the quality of service of {publisher.node_name} does not meet the one asked for '
        f'({why.strip(" ;.")}): '
        + (f'set {settings}' if settings else 'have it offer that; the node has no setting for it')
    )


def _policies(offered: QoSProfile, asked: QoSProfile, topic: str) -> Sequence[str]:
    """Name the overrides of what is asked for and not offered, with the values that would meet."""
    weaker = {
        'reliability': (QoSReliabilityPolicy.BEST_EFFORT, QoSReliabilityPolicy.RELIABLE),
        'durability': (QoSDurabilityPolicy.VOLATILE, QoSDurabilityPolicy.TRANSIENT_LOCAL),
    }
    return [
        f'{override_name(topic, policy)} to {less.name.lower()}'
        for policy, (less, more) in weaker.items()
        if getattr(offered, policy) == less and getattr(asked, policy) == more
    ]
