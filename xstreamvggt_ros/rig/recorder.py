# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Record what the node publishes, as it came over the wire."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
import time

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry, Path
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import UInt32
from tf2_msgs.msg import TFMessage

from xstreamvggt_ros.files.bags import BagWriter, stamp_of
from xstreamvggt_ros.messages.kinds import type_name
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.pacing import Pacer

# What the node publishes once for every frame, with the frame's stamp.
FRAME_OUTPUTS = {
    'pose': PoseStamped,
    'depth/image': Image,
    'depth/camera_info': CameraInfo,
    'confidence': Image,
    'points': PointCloud2,
    'frame': DiagnosticArray,
}
# What it publishes for a frame only where it can.
SOME_FRAMES_OUTPUTS = {'odometry': Odometry, 'image': Image}
# What it publishes when something changes.
LATCHED_OUTPUTS = {'stream': UInt32}
# What it sends whole again and again: the last one holds all that was in those before.
WORLD_OUTPUTS = {'map': PointCloud2, 'path': Path}
# Deep enough that writing to a slow disk loses nothing meanwhile.
QUEUE_DEPTH = 200
LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
# Diagnostics come once a second; the one after this long counts every image that was sent.
DIAGNOSTICS_S = 1.5


class Recorder:
    """
    Write every output of the node `node_name` to a bag and tell the pacer what is answered.

    Of map and path only the last is written, by `finish`.

    `completed_ns` holds, by stamp, the monotonic time at which the last of a frame's outputs was
    here. `diagnostics` holds the newest figures that the node gave about itself and
    `diagnostics_at` when they came, in monotonic seconds.
    """

    def __init__(self, link: Link, node_name: str, bag: BagWriter, pacer: Pacer):
        """Subscribe to all outputs; those of an unconfigured node come when it has them."""
        self.completed_ns: dict[int, int] = {}
        self.diagnostics: dict[str, str] = {}
        self.diagnostics_at = 0.0
        self._status_name = f'{node_name}: reconstruction'
        self._outputs = Counter()
        self._link = link
        self._bag = bag
        self._pacer = pacer
        for name, kind in FRAME_OUTPUTS.items():
            self._record(f'/{node_name}/{name}', kind, self._on_output)
        for name, kind in SOME_FRAMES_OUTPUTS.items():
            self._record(f'/{node_name}/{name}', kind, lambda cdr: None)
        for name, kind in LATCHED_OUTPUTS.items():
            self._record(f'/{node_name}/{name}', kind, lambda cdr: None, latched=True)
        self._world: dict[str, bytes] = {}
        for name, kind in WORLD_OUTPUTS.items():
            self._keep_newest(f'/{node_name}/{name}', kind)
        self._record('/tf', TFMessage, lambda cdr: None)
        self._record('/diagnostics', DiagnosticArray, self._on_diagnostics)

    def _record(self, topic: str, kind: type, note, latched: bool = False) -> None:
        """Subscribe to the serialised messages of a topic."""
        self._bag.add_topic(topic, type_name(kind), latched)

        def on_message(cdr: bytes) -> None:
            note(cdr)
            # As `ros2 bag record` does, the bag's time is that of the arrival.
            self._bag.write(topic, cdr, time.time_ns())

        qos = LATCHED if latched else QUEUE_DEPTH
        self._link.node.create_subscription(kind, topic, on_message, qos, raw=True)

    def _keep_newest(self, topic: str, kind: type) -> None:
        """Subscribe to the serialised messages of a latched topic."""
        self._bag.add_topic(topic, type_name(kind), latched=True)

        def on_message(cdr: bytes) -> None:
            self._world[topic] = cdr

        self._link.node.create_subscription(kind, topic, on_message, LATCHED, raw=True)

    def await_outputs(self, sent_ns: Set[int], patience_s: float) -> bool:
        """Wait until every image is answered, or the node has counted all that it will not."""
        counted_all_at = time.monotonic() + DIAGNOSTICS_S

        def settled() -> bool:
            if self.completed_ns.keys() >= sent_ns:
                return True
            if self.diagnostics_at < counted_all_at:
                return False
            return self.settled >= int(self.diagnostics['frames_in'])

        return self._link.spin_until(settled, patience_s)

    def finish(self) -> None:
        """Write the last map and path."""
        for topic, cdr in self._world.items():
            self._bag.write(topic, cdr, time.time_ns())
        self._world.clear()

    def _on_output(self, cdr: bytes) -> None:
        stamp_ns = stamp_of(cdr)
        self._outputs[stamp_ns] += 1
        if self._outputs[stamp_ns] == len(FRAME_OUTPUTS):
            self.completed_ns[stamp_ns] = time.monotonic_ns()
            self._pacer.answer(stamp_ns)

    def _on_diagnostics(self, cdr: bytes) -> None:
        for status in deserialize_message(cdr, DiagnosticArray).status:
            if status.name == self._status_name:
                self.diagnostics = {pair.key: pair.value for pair in status.values}
                self.diagnostics_at = time.monotonic()
                self._pacer.count(self.settled)

    @property
    def settled(self) -> int:
        """Give how many images the node says it has processed or dropped."""
        return sum(
            int(self.diagnostics.get(f'frames_{name}', 0)) for name in ('processed', 'dropped')
        )
