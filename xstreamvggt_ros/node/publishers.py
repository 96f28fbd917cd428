# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The publishers of the node's outputs, made and given back together."""

from __future__ import annotations

from contextlib import ExitStack

from rclpy.lifecycle import LifecycleNode

from xstreamvggt_ros.node.interface import Output
from xstreamvggt_ros.node.qos import overridden_qos


class Publishers:
    """Create outputs' publishers on a node; their quality of service can be overridden."""

    def __init__(self, node: LifecycleNode) -> None:
        """Begin without any."""
        self._node = node
        self._made = ExitStack()

    def managed(self, output: Output, root: str = '~'):
        """Create a lifecycle publisher; ValueError for an override that cannot be."""
        topic = output.topic(root)
        profile = overridden_qos(self._node, output, topic)
        made = self._node.create_lifecycle_publisher(output.kind, topic, profile)
        self._made.callback(self._node.destroy_lifecycle_publisher, made)
        return made

    def unmanaged(self, output: Output):
        """Create one that sends in every state; errors likewise."""
        topic = output.topic()
        profile = overridden_qos(self._node, output, topic)
        made = self._node.create_publisher(output.kind, topic, profile)
        self._made.callback(self._node.destroy_publisher, made)
        return made

    def destroy(self) -> None:
        """Take them off the node."""
        self._made.close()
