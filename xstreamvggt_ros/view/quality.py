# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Topics of others are subscribed to as they are published."""

from __future__ import annotations

from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy

DEPTH = 100


def as_published(node: Node, topic: str) -> QoSProfile | None:
    """Choose what all who publish a topic offer, None where there is nobody."""
    offered = [each.qos_profile for each in node.get_publishers_info_by_topic(topic)]
    if not offered:
        return None
    durability, reliability = QoSDurabilityPolicy, QoSReliabilityPolicy
    latched = all(each.durability == durability.TRANSIENT_LOCAL for each in offered)
    reliable = all(each.reliability == reliability.RELIABLE for each in offered)
    return QoSProfile(
        depth=DEPTH,
        durability=durability.TRANSIENT_LOCAL if latched else durability.VOLATILE,
        reliability=reliability.RELIABLE if reliable else reliability.BEST_EFFORT,
    )
