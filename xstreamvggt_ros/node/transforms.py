# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Transforms between frames, as they are broadcast on /tf and /tf_static.

The one place that knows whether tf2_ros is installed; without it, as on the wheels, a tree of its
own answers the same questions.
"""

from __future__ import annotations

import threading
import time

from geometry_msgs.msg import Transform
import numpy as np
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from rclpy.time import Time
from scipy.spatial.transform import Rotation
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.transform_tree import (
    HISTORY_NS,
    TransformError,
    TransformMissing,
    TransformTree,
)

try:
    import tf2_ros
except ImportError:
    tf2_ros = None

QUEUE_DEPTH = 100
# Seconds between two looks for a transform that is waited for.
POLL_PERIOD = 0.005


class TransformBuffer:
    """
    Listen to the transforms of the last ten seconds.

    What arrives is handled by the executor that spins `node`; any other thread may look it up.
    """

    def __init__(self, node: Node) -> None:
        """Begin to listen."""
        self._source = _Tree(node) if tf2_ros is None else _Tf2(node)
        self._destroyed = threading.Event()

    def lookup(self, target: str, source: str, stamp_ns: int, until: float = 0.0) -> np.ndarray:
        """
        Give the rigid (4, 4) that takes points of `source` to `target` at a time in nanoseconds.

        Between two broadcasts positions are interpolated linearly and rotations on the sphere;
        before the first and after the last nothing is guessed. What is not known yet is waited
        for `until` a time.monotonic(); never in the executor's thread, which has to receive it.
        TransformMissing names the frame that is missing, TransformError says how far the time is
        from what is known.
        """
        while True:
            try:
                return self._source.lookup(target, source, stamp_ns)
            except TransformError:
                if time.monotonic() >= until or self._destroyed.wait(POLL_PERIOD):
                    raise

    def destroy(self) -> None:
        """Cease to listen and to wait."""
        self._destroyed.set()
        self._source.destroy()


class _Tree:
    """Fill a TransformTree from both topics."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._tree = TransformTree()
        self._lock = threading.Lock()
        latched = QoSProfile(depth=QUEUE_DEPTH, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
        self._subscriptions = [
            node.create_subscription(TFMessage, '/tf', self._on_moving, QUEUE_DEPTH),
            node.create_subscription(TFMessage, '/tf_static', self._on_static, latched),
        ]

    def lookup(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        with self._lock:
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
                matrix = _matrix(each.transform)
                with self._lock:
                    self._tree.insert(parent, child, stamp_ns, matrix, static)
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
        except tf2_ros.ExtrapolationException as error:
            raise TransformError(str(error)) from error
        except tf2_ros.TransformException as error:
            raise TransformMissing(str(error)) from error
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
