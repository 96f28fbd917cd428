# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of service of inputs and outputs, unless it is overridden."""

from __future__ import annotations

from collections.abc import Sequence

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

from xstreamvggt_ros.node.interface import Output
from xstreamvggt_ros.parameters.quality import override_name, POLICIES, read_policy, unset

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


def create_output(node: LifecycleNode, output: Output, root: str = '~'):
    """Create an output's lifecycle publisher; its quality of service can be overridden."""
    return node.create_lifecycle_publisher(
        output.kind,
        output.topic(root),
        output_qos(output),
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
    )


def create_unmanaged_output(node: Node, output: Output):
    """Create an output's publisher, which sends in every state; its QoS can be overridden."""
    return node.create_publisher(
        output.kind,
        output.topic(),
        output_qos(output),
        qos_overriding_options=QoSOverridingOptions.with_default_policies(),
    )


def wanted(publisher) -> bool:
    """Whether anybody listens."""
    return publisher.get_subscription_count() > 0


def _keeps(profile: QoSProfile) -> bool:
    return profile.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL


def _override(node: Node, topic: str, policy: str):
    """Read a policy from its parameter, which is declared at the first use of its topic."""
    name = override_name(topic, policy)
    if not node.has_parameter(name):
        descriptor = ParameterDescriptor(
            description='Override of the quality of service; best_available: as all publishers '
            'of the topic offer; a depth of 0: as input.queue says.'
        )
        try:
            node.declare_parameter(name, unset(policy), descriptor)
        except InvalidParameterTypeException as error:
            raise ValueError(f'{name} was started with a value of another type: {error}') from None
    return read_policy(name, node.get_parameter(name).value)
