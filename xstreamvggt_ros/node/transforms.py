# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Transforms between frames, as they are broadcast on /tf and /tf_static.

The one place that knows whether tf2_ros is installed; without it, as on the wheels, a tree of its
own answers the same questions.
"""

from __future__ import annotations

from geometry_msgs.msg import Transform
import numpy as np
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from rclpy.time import Time
from scipy.spatial.transform import Rotation
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.transform_tree import HISTORY_NS, TransformError, TransformTree

try:
    import tf2_ros
except ImportError:
    tf2_ros = None

QUEUE_DEPTH = 100


class TransformBuffer:
    """
    Listen to the transforms of the last ten seconds.

    What arrives is handled by the executor that spins `node`.
    """

    def __init__(self, node: Node) -> None:
        """Begin to listen."""
        self._source = _Tree(node) if tf2_ros is None else _Tf2(node)

    def lookup(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        """
        Give the rigid (4, 4) that takes points of `source` to `target` at a time in nanoseconds.

        Between two broadcasts positions are interpolated linearly and rotations on the sphere;
        before the first and after the last nothing is guessed. TransformError names the frame
        that is missing, or how far the time is from what is known.
        """
        return self._source.lookup(target, source, stamp_ns)

    def destroy(self) -> None:
        """Cease to listen."""
        self._source.destroy()


class _Tree:
    """Fill a TransformTree from both topics."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tree = TransformTree()
        latched = QoSProfile(depth=QUEUE_DEPTH, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
        self._subscriptions = [
            node.create_subscription(TFMessage, '/tf', self._on_moving, QUEUE_DEPTH),
            node.create_subscription(TFMessage, '/tf_static', self._on_static, latched),
        ]

    def lookup(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        return self._tree.lookup(target, source, stamp_ns)

    def destroy(self) -> None:
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _on_moving(self, message: TFMessage) -> None:
        self._insert(message, False)

    def _on_static(self, message: TFMessage) -> None:
        self._insert(message, True)

    def _insert(self, message: TFMessage, static: bool) -> None:
        for each in message.transforms:
            stamp_ns = each.header.stamp.sec * 10**9 + each.header.stamp.nanosec
            parent, child = each.header.frame_id, each.child_frame_id
            try:
                self._tree.insert(parent, child, stamp_ns, _matrix(each.transform), static)
            except TransformError as error:
                # Others broadcast it: said once in a while, and passed over.
                self._node.get_logger().warning(
                    f'the transform from {parent} to {child} was passed over: {error}',
                    throttle_duration_sec=5.0,
                )


class _Tf2:
    """Ask tf2's own buffer."""

    def __init__(self, node: Node) -> None:
        self._buffer = tf2_ros.Buffer(cache_time=Duration(nanoseconds=HISTORY_NS), node=node)
        self._listener = tf2_ros.TransformListener(self._buffer, node, spin_thread=False)

    def lookup(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        try:
            found = self._buffer.lookup_transform(target, source, Time(nanoseconds=stamp_ns))
        except tf2_ros.TransformException as error:
            raise TransformError(f'no transform from {source} to {target}: {error}') from error
        return _matrix(found.transform)

    def destroy(self) -> None:
        self._listener.unregister()


def _matrix(transform: Transform) -> np.ndarray:
    translation, rotation = transform.translation, transform.rotation
    quaternion = np.array([rotation.x, rotation.y, rotation.z, rotation.w])
    position = np.array([translation.x, translation.y, translation.z])
    if not np.isfinite(position).all() or not 0.9 < np.linalg.norm(quaternion) < 1.1:
        raise TransformError(
            f'its position is {position.tolist()} and its quaternion {quaternion.tolist()}; '
            'broadcast finite numbers and a quaternion of length 1'
        )
    return rigid(Rotation.from_quat(quaternion).as_matrix(), position)
