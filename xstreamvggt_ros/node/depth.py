# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where metric depth comes in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import threading
import time
from typing import NamedTuple

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from xstreamvggt_ros.memory.estimate import MIB
from xstreamvggt_ros.messages import ns_from_time
from xstreamvggt_ros.node.interface import NEWEST_DEPTH
from xstreamvggt_ros.node.listening import Listener, Wanted
from xstreamvggt_ros.parameters import InputParameters

# Depth images that wait for the colour image of their time, and how far apart those may be.
WAITING = 16
# What the transports of compressed images put behind a topic.
COMPRESSED = ('/compressedDepth', '/compressed')
APART_NS = 20_000_000
MILLISECOND_NS = 1_000_000


class NoDepthError(LookupError):
    """No depth image is of an image's time; says how far away the nearest is, and the fix."""


class _Depth(NamedTuple):
    """A depth image and its stamp."""

    stamp_ns: int
    image: Image | CompressedImage


class DepthInput:
    """
    Subscribe to input.depth_topic and keep the newest images while they are `wanted`.

    The network may take longer than it takes the newest to push out the one of the image in hand:
    whoever takes an image claims that first, and takes it later. One claim is kept.
    """

    def __init__(self, node: Node, parameters: Callable[[], InputParameters]) -> None:
        """Begin to listen, unless the topic is empty."""
        self.wanted = True
        self.newest_ns: int | None = None
        topic = parameters().depth_topic
        self._parameters = parameters
        self._topic = node.resolve_topic_name(topic) if topic else ''
        # The executor receives, the worker claims and takes.
        self._changed = threading.Condition()
        self._images: deque[_Depth] = deque(maxlen=WAITING)
        self._sought_ns = 0
        self._claimed: _Depth | None = None
        self._in_vain = self._destroyed = False
        self._listener: Listener | None = None
        if topic:
            kind = CompressedImage if self._topic.endswith(COMPRESSED) else Image
            wanted = Wanted(kind, self._topic, 'depth images')
            self._listener = Listener(
                node, wanted, self._receive, lambda: NEWEST_DEPTH, self._silence_timeout
            )

    def claim(self, stamp_ns: int) -> None:
        """Keep the image nearest to a stamp from now on, of those to come as well."""
        with self._changed:
            self._sought_ns = stamp_ns
            self._claimed = min(self._images, key=self._apart, default=None)

    def take(self, until: float) -> Image | CompressedImage:
        """
        Give the claimed image; NoDepthError where none is within 20 ms.

        One that has not come yet is waited for `until` a time.monotonic(), unless a later one has
        come, or none that could have been meant since one was last waited for in vain: depth that
        is always stamped too early must not hold up every image.
        """
        with self._changed:
            if not self._in_vain:
                self._changed.wait_for(self._decided, max(0.0, until - time.monotonic()))
            found = self._claimed
            self._in_vain = not self._decided()
            if found is None:
                raise NoDepthError(
                    f'no depth image has come on {self._topic}; start the depth camera, or '
                    'correct input.depth_topic'
                )
            if self._apart(found) > APART_NS:
                raise NoDepthError(self._too_far(found))
            return found.image

    def destroy(self) -> None:
        """Cease to listen and to wait."""
        if self._listener is not None:
            self._listener.destroy()
        with self._changed:
            self._destroyed = True
            self._changed.notify_all()

    def _receive(self, message: Image | CompressedImage) -> None:
        depth = _Depth(ns_from_time(message.header.stamp), message)
        with self._changed:
            self.newest_ns = depth.stamp_ns
            if depth.stamp_ns >= self._sought_ns - APART_NS:
                self._in_vain = False
            if not self.wanted:
                self._images.clear()
                self._claimed = None
                return
            self._images.append(depth)
            self._drop_oldest()
            if self._claimed is None or self._apart(depth) < self._apart(self._claimed):
                self._claimed = depth
            self._changed.notify_all()

    def _drop_oldest(self) -> None:
        """Hold waiting images to input.queue_mib, whatever they say of themselves."""
        room = MIB * self._parameters().queue_mib
        while len(self._images) > 1 and sum(len(each.image.data) for each in self._images) > room:
            self._images.popleft()

    def _silence_timeout(self) -> float:
        return self._parameters().silence_timeout if self.wanted else 0.0

    def _apart(self, depth: _Depth) -> int:
        return abs(depth.stamp_ns - self._sought_ns)

    def _decided(self) -> bool:
        """Whether waiting for the claimed image can change nothing any more."""
        if self._destroyed or self._claimed is None:
            return self._destroyed
        is_past = self.newest_ns > self._sought_ns + APART_NS
        return is_past or self._apart(self._claimed) <= APART_NS

    def _too_far(self, nearest: _Depth) -> str:
        apart = (nearest.stamp_ns - self._sought_ns) / MILLISECOND_NS
        return (
            f'the nearest depth image is {abs(apart):.0f} ms {"after" if apart > 0 else "before"} '
            f'it by their stamps, more than {APART_NS // MILLISECOND_NS} ms; make the clocks of '
            'the two cameras agree, raise output.tf_timeout where depth comes late, or use '
            'input.queue newest where images wait'
        )
