# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where images come in."""

from __future__ import annotations

from collections.abc import Callable
import time

from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.intake.arrivals import Arrival
from xstreamvggt_ros.intake.counters import Counters
from xstreamvggt_ros.intake.stamps import Timing
from xstreamvggt_ros.intake.worker import Mailbox
from xstreamvggt_ros.messages import ns_from_time
from xstreamvggt_ros.node.interface import NEWEST_DEPTH
from xstreamvggt_ros.node.listening import Listener, Wanted
from xstreamvggt_ros.node.rate_limit import RateLimit
from xstreamvggt_ros.node.seldom import Seldom
from xstreamvggt_ros.parameters import InputParameters

# What image_transport puts behind an image's topic.
COMPRESSED = '/compressed'


class ImageInput:
    """
    Subscribe to an image topic and put what comes in a mailbox; say when nothing does.

    `parameters` gives the configuration as it is now, `camera` says which of its topics it is.
    `judge` says of a camera's stamp what it is. While not `enabled`, images are dropped.
    """

    def __init__(
        self,
        node: Node,
        parameters: Callable[[], InputParameters],
        camera: int,
        mailbox: Mailbox,
        counters: Counters,
        judge: Callable[[int, int], Timing],
    ) -> None:
        """Begin to listen."""
        self._node = node
        self._parameters = parameters
        self._camera = camera
        self._mailbox = mailbox
        self._counters = counters
        self._rate_limit = RateLimit()
        # Seconds by which the camera's stamps are ahead of the clock that arrivals are timed by.
        self._ahead = 0.0
        self._seldom = Seldom()
        self._judge = judge
        self.enabled = True
        self._listener = Listener(
            node,
            self._wanted(),
            self._receive,
            self._depth,
            lambda: parameters().silence_timeout,
            lambda count: counters.lose(count, camera),
        )

    @property
    def topic(self) -> str:
        """The topic's full name, remapped."""
        return self._listener.topic

    @property
    def camera_topic(self) -> str:
        """The full name of the image topic without its transport, remapped."""
        return self._node.resolve_topic_name(self._parameters().topics[self._camera])

    @property
    def silent_for(self) -> float:
        """Seconds since the newest image, or since there is anybody to hear it."""
        return self._listener.silent_for

    def follow(self) -> None:
        """Listen anew where the rule of the queue has changed."""
        self._listener.follow()

    def destroy(self) -> None:
        """Cease to listen."""
        self._listener.destroy()

    def _wanted(self) -> Wanted:
        if self._parameters().image_transport == 'raw':
            return Wanted(Image, self.camera_topic, 'images')
        # Resolved first: people remap the image, and the transport's suffix follows.
        return Wanted(CompressedImage, self.camera_topic + COMPRESSED, 'images')

    def _depth(self) -> int:
        parameters = self._parameters()
        return NEWEST_DEPTH if parameters.queue == 'newest' else parameters.queue_size

    def _receive(self, message: Image | CompressedImage) -> None:
        """Do no more than put the message where the worker finds it."""
        now = time.monotonic()
        self._counters.receive(self._camera)
        # Before anything is dropped: what comes is no gap to the camera's clock.
        timing = self._judge(self._camera, ns_from_time(message.header.stamp))
        if not self.enabled:
            self._counters.drop('disabled', self._camera)
            return
        if timing.wrong:
            self._counters.remark(timing.wrong)
        else:
            self._ahead = timing.time_ns / NANOSECONDS - now
        # What has no stamp of its own comes as long after the last that had one as it arrives.
        if not self._rate_limit.admits(now + self._ahead, self._parameters().max_rate):
            self._counters.drop('max_rate', self._camera)
            return
        arrival = Arrival(message, now, self._camera, timing.time_ns, timing)
        for reason in self._mailbox.put(arrival):
            self._counters.drop(reason, self._camera)
            if reason == 'late' and self._seldom.admits():
                self._node.get_logger().warning(
                    f"image dropped (late): one on {self.topic} is older than another camera's "
                    "that was taken already; raise input.reorder_window, or make the cameras' "
                    'clocks agree'
                )
