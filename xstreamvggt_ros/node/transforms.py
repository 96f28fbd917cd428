# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Transforms between frames, as they are broadcast on /tf and /tf_static.

The one place that knows whether tf2_ros is installed; without it, as on the wheels, a tree of its
own answers the same questions.
"""

from __future__ import annotations

from collections.abc import Callable
import threading
import time

from geometry_msgs.msg import Transform, TransformStamped
import numpy as np
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from rclpy.time import Time
from scipy.spatial.transform import Rotation
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.geometry.frame_names import frame_name
from xstreamvggt_ros.geometry.quoting import quoted
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.geometry.transform_tree import (
    HISTORY_NS,
    MAX_FRAMES,
    TransformError,
    TransformMissing,
    TransformTree,
)
from xstreamvggt_ros.intake.stamps import LOOP_BACK
from xstreamvggt_ros.messages import ns_from_time
from xstreamvggt_ros.node.callbacks import survived
from xstreamvggt_ros.node.interface import Input, MOVING_TRANSFORMS, STATIC_TRANSFORMS
from xstreamvggt_ros.node.seldom import Seldom

try:
    import tf2_ros
except ImportError:
    tf2_ros = None

# Seconds between two looks for a transform that is waited for.
POLL_PERIOD = 0.005
# For so many nanoseconds a frame's stamps stay behind its newest before that is a bag's beginning.
STAYS_BACK = NANOSECONDS // 2
# What tf2 is told of who broadcasts; it does not use it.
AUTHORITY = 'xstreamvggt_ros'


class TransformBuffer:
    """
    Listen to the transforms of the last ten seconds.

    Those whose parent is `ignored()` are passed over: a node's own broadcasts, which would
    otherwise take a frame from its parent. Where a frame's time goes back by more than a second
    and stays there for half of one, as with a bag that begins again, all that moved before is
    forgotten. What arrives is handled by the executor that spins `node`; any other thread may look
    it up.
    """

    def __init__(self, node: Node, ignored: Callable[[], str] = lambda: '') -> None:
        """Begin to listen."""
        self._node = node
        self._ignored = ignored
        self._store = _Tree() if tf2_ros is None else _Tf2()
        self._newest: dict[str, int] = {}
        # The stamp since which a frame's have been behind its newest.
        self._back_since: dict[str, int] = {}
        self._seldom = Seldom()
        self._destroyed = threading.Event()
        self._subscriptions = [
            _subscribe(node, MOVING_TRANSFORMS, self._on_moving),
            _subscribe(node, STATIC_TRANSFORMS, self._on_static),
        ]

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
                return self._store.lookup(target, source, stamp_ns)
            except TransformError:
                if time.monotonic() >= until or self._destroyed.wait(POLL_PERIOD):
                    raise

    def destroy(self) -> None:
        """Cease to listen and to wait."""
        self._destroyed.set()
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _on_moving(self, message: TFMessage) -> None:
        self._insert(message, False)

    def _on_static(self, message: TFMessage) -> None:
        self._insert(message, True)

    def _insert(self, message: TFMessage, static: bool) -> None:
        for each in message.transforms:
            # As tf2 does with slashes in front.
            parent, child = each.header.frame_id.lstrip('/'), each.child_frame_id.lstrip('/')
            if parent == self._ignored():
                continue
            stamp_ns = ns_from_time(each.header.stamp)
            each.header.frame_id, each.child_frame_id = parent, child
            try:
                _check_names(parent, child)
                if not static:
                    self._mind_loop(child, stamp_ns)
                self._store.insert(each, static)
            except ValueError as error:
                # Others broadcast it: said once in a while, and passed over.
                self._tell(
                    'refused',
                    f'the transform from {quoted(parent)} to {quoted(child)} was passed over: '
                    f'{error}',
                )
                continue
            if not static:
                # Not before: names that the store refuses could be any number.
                self._note(child, stamp_ns)

    def _note(self, child: str, stamp_ns: int) -> None:
        """Remember a frame's newest stamp, the frames in the order in which they were heard."""
        newest = max(stamp_ns, self._newest.pop(child, stamp_ns))
        if len(self._newest) >= MAX_FRAMES:
            # As the tree does: of endless names one gives way to the next.
            oldest = next(iter(self._newest))
            del self._newest[oldest]
            self._back_since.pop(oldest, None)
        self._newest[child] = newest

    def _mind_loop(self, child: str, now: int) -> None:
        """Forget what moved before time went back: tf2 would not take anything that is older."""
        back = self._newest.get(child, now) - now
        if back <= LOOP_BACK:
            self._back_since.pop(child, None)
            return
        # Of two publishers whose clocks differ, the one ahead is heard again in between.
        since = self._back_since[child] = min(now, self._back_since.get(child, now))
        if now - since < STAYS_BACK:
            return
        self._store.clear()
        self._newest.clear()
        self._back_since.clear()
        self._tell(
            'back',
            f'the transforms of {child!r} went back by {back / NANOSECONDS:.1f} s; those from '
            'before are forgotten: where no bag began again, see whether two nodes broadcast it',
        )

    def _tell(self, kind: str, text: str) -> None:
        if self._seldom.admits(kind):
            self._node.get_logger().warning(text)


class _Tree:
    """Keep them in a TransformTree, one thread at a time."""

    def __init__(self) -> None:
        self._tree = TransformTree()
        self._lock = threading.Lock()

    def insert(self, message: TransformStamped, static: bool) -> None:
        matrix = _matrix(message.transform)
        parent, child = message.header.frame_id, message.child_frame_id
        with self._lock:
            self._tree.insert(parent, child, ns_from_time(message.header.stamp), matrix, static)

    def clear(self) -> None:
        with self._lock:
            self._tree.clear()

    def lookup(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        with self._lock:
            return self._tree.lookup(target, source, stamp_ns)


class _Tf2:
    """Keep them in tf2's own buffer, which minds the threads itself."""

    def __init__(self) -> None:
        self._buffer = tf2_ros.Buffer(cache_time=Duration(nanoseconds=HISTORY_NS))

    def insert(self, message: TransformStamped, static: bool) -> None:
        _matrix(message.transform)
        if static:
            self._buffer.set_transform_static(message, AUTHORITY)
        else:
            self._buffer.set_transform(message, AUTHORITY)

    def clear(self) -> None:
        # Static ones stay.
        self._buffer.clear()

    def lookup(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        try:
            found = self._buffer.lookup_transform(target, source, Time(nanoseconds=stamp_ns))
        except tf2_ros.ExtrapolationException as error:
            raise TransformError(str(error)) from error
        except tf2_ros.TransformException as error:
            raise TransformMissing(str(error)) from error
        return _matrix(found.transform)


def _subscribe(node: Node, declared: Input, callback: Callable[[TFMessage], None]):
    durability = QoSDurabilityPolicy.VOLATILE
    if declared.latched:
        durability = QoSDurabilityPolicy.TRANSIENT_LOCAL
    profile = QoSProfile(depth=declared.depth, durability=durability)
    callback = survived(node, f'take transforms of {declared.name}', callback)
    return node.create_subscription(TFMessage, declared.name, callback, profile)


def _check_names(parent: str, child: str) -> None:
    """TransformError or ValueError for two that nothing can join: tf2 only logs each."""
    if not frame_name(parent) or not frame_name(child) or parent == child:
        raise TransformError('broadcast it between two frames that have a name each')


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
