# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A running node, followed through its topics alone.

Messages are kept as they came, the newest of each, and read when the page is drawn; large ones are
asked for only while somebody looks at it. So following costs the node what any subscriber does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
import logging
import threading
import time

from diagnostic_msgs.msg import DiagnosticArray
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile
from rclpy.serialization import deserialize_message
from std_srvs.srv import SetBool, Trigger
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from xstreamvggt_ros.files.bags import stamp_of
from xstreamvggt_ros.view import reading
from xstreamvggt_ros.view.closures import Closures
from xstreamvggt_ros.view.contents import PageContents, Said
from xstreamvggt_ros.view.frames import Frames
from xstreamvggt_ros.view.quality import as_published
from xstreamvggt_ros.view.services import FollowedServices
from xstreamvggt_ros.view.tolerance import Tolerance
from xstreamvggt_ros.view.topics import (
    camera_of,
    root_of,
    roots_of,
    TOPICS,
    value_of,
    ViewTopic,
)
from xstreamvggt_ros.view.trail import Trail

logger = logging.getLogger(__name__)
LOOK_S = 0.1
# A node speaks every second; one that was killed says no more, not even that.
SILENT_S, STALE = 5.0, 3
# Of topics on which every message counts: several nodes speak there.
KEPT = 256
NEWEST = QoSProfile(depth=1)
LATCHED = QoSProfile(depth=1, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)
ALL = QoSProfile(depth=100)
ALL_LATCHED = QoSProfile(depth=100, durability=QoSDurabilityPolicy.TRANSIENT_LOCAL)

MARKERS = {f'visualization_msgs/msg/{each.__name__}': each for each in (Marker, MarkerArray)}


class Following:
    """
    Puts what a node says into contents; use in a with statement.

    `watched` is asked now and then whether anybody looks; `services` are the node's. Without a
    `node` the one that there is, of this one's namespace before others, is followed, once it has
    topics. `loop_closures` is a topic of markers that somebody else publishes (view/closures.py).
    """

    def __init__(
        self,
        contents: PageContents,
        node: str = '',
        camera: str = '',
        map_frame: str = 'map',
        arguments: list[str] | None = None,
        loop_closures: str = '',
    ) -> None:
        """
        Say whom to follow: a node's name and one of its cameras.

        A name without a slash at its start is in the namespace that `arguments` give this node.
        """
        self.watched: Callable[[], bool] = lambda: True
        self._contents, self._camera = contents, camera
        # Below what the chosen camera's topics are; the choice stays.
        self._below = ''
        self._heard = 0.0
        self._frames = Frames(map_frame)
        contents.put('transforms', self._frames.in_map())
        self._newest: dict[str, bytes] = {}
        self._said: deque[bytes] = deque(maxlen=KEPT)
        # Apart: what moves comes again, what stands is said once.
        self._moved: deque[bytes] = deque(maxlen=KEPT)
        self._fixed: deque[bytes] = deque(maxlen=KEPT)
        self._marked: deque[bytes] = deque(maxlen=KEPT)
        self._marks: tuple[type, QoSProfile] | None = None
        self._closures, self._trail = Closures(), Trail()
        self._subscribed: dict[str, object] = {}
        self._tolerance = Tolerance()
        self._ended = threading.Event()
        self._context = rclpy.Context()
        self._context.init(args=arguments or [], initialize_logging=False)
        self._node: Node = rclpy.create_node('view', context=self._context)
        self.services = FollowedServices(self._node)
        self._namespace = self._node.get_namespace()
        self._root = node and root_of(node, self._namespace)
        self._loop_closures = loop_closures and self._node.resolve_topic_name(loop_closures)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._spin, name='following', daemon=True)

    @property
    def whom(self) -> str:
        """Say who is followed, or waited for."""
        return self._root or 'a node that publishes ~/stream, ~/frame and ~/path'

    def update(self) -> None:
        """Read what came since the last time, and put it into the contents."""
        for topic in TOPICS:
            if (raw := self._newest.pop(topic.kind, None)) is not None:
                self._tolerance.run(topic.name, lambda topic=topic, raw=raw: self._put(topic, raw))
        if (path := self._trail.news()) is not None:
            self._contents.put('path', path)
        if self._fixed or self._moved:
            self._move()
        while self._said:
            self._tolerance.run('diagnostics', lambda: self._hear(self._said.popleft()))
        self._mind_silence()
        while self._marked:
            self._tolerance.run(self._loop_closures, lambda: self._mark(self._marked.popleft()))
        if self._loop_closures:
            self._put_closures()

    def trigger(self, service: str) -> str:
        """Call one of the node's services of the type Trigger; return what it answers."""
        return self._call(service, Trigger.Request())

    def enable(self, on: bool) -> str:
        """Have images taken, or dropped; return what the node answers."""
        return self._call('enable', SetBool.Request(data=on))

    def _put(self, topic: ViewTopic, raw: bytes) -> None:
        value = value_of(topic, deserialize_message(raw, topic.type), self._below != self._root)
        if topic.kind == 'path':
            self._trail.add_path(stamp_of(raw), value)
            return
        if topic.kind == 'pose':
            self._trail.add_pose(stamp_of(raw), value.position)
        elif topic.kind == 'stream':
            self._trail.forget()
        self._contents.put(topic.kind, value)

    def _move(self) -> None:
        for came in (self._fixed, self._moved):
            while came:
                self._tolerance.run('tf', lambda came=came: self._take(came.popleft()))
        self._contents.put('transforms', self._frames.in_map())

    def _take(self, raw: bytes) -> None:
        for each in deserialize_message(raw, TFMessage).transforms:
            # One that is nowhere takes none of the others along.
            self._tolerance.run('tf', partial(self._frames.take, each))

    def _hear(self, raw: bytes) -> None:
        said = reading.said_of(deserialize_message(raw, DiagnosticArray), self._root)
        if said is not None:
            self._heard = time.monotonic()
            self._contents.put('said', said)

    def _mind_silence(self) -> None:
        said = self._contents.get('said')
        if said is None or said.level == STALE or time.monotonic() - self._heard < SILENT_S:
            return
        silent = f'silent for more than {SILENT_S:g} s; it last said: {said.message}'
        self._contents.put('said', Said(STALE, silent, said.values))

    def _mark(self, raw: bytes) -> None:
        kind, _ = self._marks
        self._closures.take(deserialize_message(raw, kind))

    def _put_closures(self) -> None:
        """Put the lines anew where they, or the frames that they are in, are elsewhere."""
        lines = self._closures.in_map(self._contents.get('transforms'))
        if not lines.same(self._contents.get('closures')):
            self._contents.put('closures', lines)

    def _call(self, name: str, request) -> str:
        if not self.services.found:
            return f'there is no node yet: waiting for {self.whom}'
        return self.services.call(name, request)

    def _spin(self) -> None:
        while not self._ended.is_set():
            try:
                self._mind()
                self._executor.spin_once(timeout_sec=LOOK_S)
            except ExternalShutdownException:
                return
            except Exception:
                # One message that cannot be shown is no reason to show none any more.
                logger.exception('a message could not be shown')
                self._ended.wait(LOOK_S)

    def _mind(self) -> None:
        """Find whom to follow, and subscribe to what is looked at."""
        if not self._subscribed:
            self._listen('/tf', TFMessage, _noting(self._moved), ALL)
            self._listen('/tf_static', TFMessage, _noting(self._fixed), ALL_LATCHED)
            self._listen('/diagnostics', DiagnosticArray, _noting(self._said), ALL)
        types = dict(self._node.get_topic_names_and_types())
        if self._loop_closures in types:
            self._listen_to_markers(types[self._loop_closures])
        names = list(types)
        if not self._root:
            self._root = next(iter(roots_of(names, self._namespace)), '')
        if not self._root:
            return
        if not self.services.found:
            self.services.find(self._root)
        self._below = self._below or camera_of(names, self._root, self._camera)
        for name, topic in self._wanted():
            looked_at = self.watched() or not topic.heavy
            if topic.kind == 'path':
                looked_at = looked_at and self._trail.asks
            if looked_at and name not in self._subscribed:
                keep = self._keeping(topic.kind)
                self._listen(name, topic.type, keep, LATCHED if topic.latched else NEWEST)
            elif not looked_at and name in self._subscribed:
                self._node.destroy_subscription(self._subscribed.pop(name))

    def _listen_to_markers(self, types: list[str]) -> None:
        name = self._loop_closures
        kind = next((MARKERS[each] for each in types if each in MARKERS), None)
        if kind is None:
            self._tolerance.tell(name, TypeError(f'it is of {types[0]}, not {", ".join(MARKERS)}'))
            return
        profile = as_published(self._node, name)
        # Somebody else may publish now, in another way.
        if profile is not None and self._marks != (kind, profile):
            if name in self._subscribed:
                self._node.destroy_subscription(self._subscribed.pop(name))
            self._marks = kind, profile
            self._listen(name, kind, _noting(self._marked), profile)

    def _wanted(self) -> Iterator[tuple[str, ViewTopic]]:
        for topic in TOPICS:
            if below := self._below if topic.camera else self._root:
                yield f'{below}/{topic.name}', topic

    def _keeping(self, kind: str) -> Callable[[bytes], None]:
        def keep(raw: bytes) -> None:
            self._newest[kind] = raw

        return keep

    def _listen(self, name: str, kind: type, keep: Callable[[bytes], None], qos) -> None:
        self._subscribed[name] = self._node.create_subscription(kind, name, keep, qos, raw=True)

    def __enter__(self) -> Following:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._thread.join()
        self._executor.shutdown()
        self._node.destroy_node()
        self._context.try_shutdown()


def _noting(kept: deque[bytes]) -> Callable[[bytes], None]:
    # rclpy looks at a callback's signature, which a deque's own method has not.
    def note(raw: bytes) -> None:
        kept.append(raw)

    return note
