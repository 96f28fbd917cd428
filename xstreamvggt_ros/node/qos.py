# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quality of service of inputs and outputs, unless it is overridden."""

from __future__ import annotations

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.qos import (
    QoSDurabilityPolicy,
    QoSHistoryPolicy,
    QoSProfile,
    QoSReliabilityPolicy,
)
from rclpy.qos_overriding_options import QoSOverridingOptions

from xstreamvggt_ros.node.interface import NEWEST_DEPTH, Output


def input_qos(node: Node, topic: str, newest: bool, queue_size: int) -> QoSProfile:
    """
    Choose the profile of a subscription to `topic`, a resolved name.

    The parameters `qos_overrides.<topic>.subscription.<policy>` go before the queue's rule.
    rclpy's own QoSOverridingOptions will not do: the first profile becomes the parameters' value,
    and so overrides every later one. ValueError for a policy that does not exist.
    """
    depth = NEWEST_DEPTH if newest else queue_size
    reliability = QoSReliabilityPolicy.BEST_EFFORT if newest else QoSReliabilityPolicy.RELIABLE
    name = f'qos_overrides.{topic}.subscription'
    volatile = QoSDurabilityPolicy.VOLATILE
    return QoSProfile(
        depth=_override(node, f'{name}.depth', 0) or depth,
        reliability=_policy(node, f'{name}.reliability', QoSReliabilityPolicy, reliability),
        history=_policy(node, f'{name}.history', QoSHistoryPolicy, QoSHistoryPolicy.KEEP_LAST),
        durability=_policy(node, f'{name}.durability', QoSDurabilityPolicy, volatile),
    )


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


def _policy(node: Node, name: str, kind: type, default):
    key = _override(node, name, '')
    if not key:
        return default
    try:
        return kind[key.upper()]
    except KeyError:
        known = ', '.join(policy.name.lower() for policy in kind)
        raise ValueError(f'{name} is {key!r}; use one of: {known}') from None


def _override(node: Node, name: str, unset: int | str) -> int | str:
    if not node.has_parameter(name):
        descriptor = ParameterDescriptor(
            description=f'Override of the quality of service; {unset!r}: as input.queue says.'
        )
        node.declare_parameter(name, unset, descriptor)
    return node.get_parameter(name).value
