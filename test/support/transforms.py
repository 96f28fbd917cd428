# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Broadcast a robot's transforms to a rig's node, and read transforms."""

import numpy as np
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from ros_rig import header
from scipy.spatial.transform import Rotation
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.messages import transform_stamped

# Axes of a camera that looks along a base's x axis, as columns in the base.
OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


class Broadcaster:
    """Publish on /tf and /tf_static as a robot does."""

    def __init__(self, rig):
        latched = QoSProfile(depth=100, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
        self._rig = rig
        self._moving = rig.peer.create_publisher(TFMessage, '/tf', 100)
        self._static = rig.peer.create_publisher(TFMessage, '/tf_static', latched)

    def mount(self, parent, child, parent_from_child):
        """Say once for all where a frame is."""
        self._send(self._static, parent, child, 1.0, parent_from_child)

    def move(self, parent, child, stamp, parent_from_child):
        """Say where a frame is at a time in seconds."""
        self._send(self._moving, parent, child, stamp, parent_from_child)

    def _send(self, publisher, parent, child, stamp, parent_from_child):
        # Whoever collects /tf listens to this too, and is not the node.
        others = publisher.topic_name in self._rig.collected
        self._rig.wait(
            lambda: publisher.get_subscription_count() > others,
            f'the node to listen to {publisher.topic_name}',
        )
        transform = transform_stamped(parent_from_child, header(stamp, parent), child)
        publisher.publish(TFMessage(transforms=[transform]))


def matrix(transform):
    """Read a transform as (4, 4)."""
    return _rigid(transform.rotation, transform.translation)


def at(pose):
    """Read a pose as (4, 4)."""
    return _rigid(pose.orientation, pose.position)


def _rigid(q, p):
    rotation = Rotation.from_quat([q.x, q.y, q.z, q.w]).as_matrix()
    return rigid(rotation, np.array([p.x, p.y, p.z]))
