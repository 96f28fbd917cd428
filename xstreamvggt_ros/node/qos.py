# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of service of inputs and outputs, unless it is overridden."""

from __future__ import annotations

from collections.abc import Sequence

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

from xstreamvggt_ros.node.interface import Output
from xstreamvggt_ros.parameters.quality import (
    OUTPUT_POLICIES,
    override_name,
    POLICIES,
    PUBLISHER,
    read_policy,
    SUBSCRIPTION,
    unset,
)

DESCRIPTIONS = {
    SUBSCRIPTION: 'Override of the quality of service; best_available: as all publishers of the '
    'topic offer; a depth of 0: as input.queue says.',
    PUBLISHER: 'Override of the quality of service; may be set only while the node is '
    'unconfigured.',
}
BEST_AVAILABLE = QoSReliabilityPolicy.BEST_AVAILABLE.name


def input_qos(
    node: Node, topic: str, depth: int, offered: Sequence[QoSProfile], latched: bool = False
) -> QoSProfile:
    """
    Choose the profile of a subscription to `topic`, a resolved name, that all who publish meet.

    `offered` is what they offer: reliable where they all are, or where there is nobody yet, and
    with `latched` likewise transient local. The parameters
    `qos_overrides.<topic>.subscription.<policy>` go before that and before `depth`. rclpy's own
    QoSOverridingOptions will not do: the first profile becomes the parameters' value, and so
    overrides every later one. ValueError for a policy that does not exist.
    """
    reliability = QoSReliabilityPolicy.RELIABLE
    if any(each.reliability == QoSReliabilityPolicy.BEST_EFFORT for each in offered):
        reliability = QoSReliabilityPolicy.BEST_EFFORT
    durability = QoSDurabilityPolicy.VOLATILE
    if latched and offered and all(_keeps(each) for each in offered):
        durability = QoSDurabilityPolicy.TRANSIENT_LOCAL
    available = {'reliability': reliability, 'durability': durability}
    chosen = {name: _override(node, topic, name) for name in ('depth', *POLICIES)}
    for name, policy in available.items():
        if chosen[name].name == BEST_AVAILABLE:
            chosen[name] = policy
    return QoSProfile(**{**chosen, 'depth': chosen['depth'] or depth})


def output_qos(output: Output) -> QoSProfile:
    """Choose the profile of a publisher; a latched one keeps its last message for latecomers."""
    durability = QoSDurabilityPolicy.VOLATILE
    if output.latched:
        durability = QoSDurabilityPolicy.TRANSIENT_LOCAL
    return QoSProfile(depth=output.depth, durability=durability)


def overridden_qos(node: Node, output: Output, topic: str) -> QoSProfile:
    """
    Choose the profile of a publisher to `topic` as it ships, unless it is overridden.

    The parameters `qos_overrides.<topic>.publisher.<policy>` go before that; ValueError as for
    subscriptions. With rclpy's own QoSOverridingOptions an error would not say whose it is.
    """
    profile, topic = output_qos(output), node.resolve_topic_name(topic)
    for name in OUTPUT_POLICIES:
        setattr(profile, name, _override(node, topic, name, PUBLISHER, output.depth))
    return profile


def wanted(publisher) -> bool:
    """Whether anybody listens."""
    return publisher.get_subscription_count() > 0


def _keeps(profile: QoSProfile) -> bool:
    return profile.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL


def _override(node: Node, topic: str, policy: str, of: str = SUBSCRIPTION, depth: int = 0):
    """Read a policy from its parameter, which is declared at the first use of its topic."""
    name = override_name(topic, policy, of)
    if not node.has_parameter(name):
        descriptor = ParameterDescriptor(
            description=DESCRIPTIONS[of],
            # One of another type is refused when it is read, and can then be set anew.
            dynamic_typing=True,
        )
        node.declare_parameter(name, unset(policy, of, depth), descriptor)
    return read_policy(name, node.get_parameter(name).value)
