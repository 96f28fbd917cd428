# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where images come in."""

from __future__ import annotations

from collections.abc import Callable
import time

from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image

from xstreamvggt_ros.intake.arrivals import Arrival
from xstreamvggt_ros.intake.counters import Counters
from xstreamvggt_ros.intake.worker import Mailbox
from xstreamvggt_ros.messages import ns_from_time
from xstreamvggt_ros.node.frames import stamp_seconds
from xstreamvggt_ros.node.qos import input_qos
from xstreamvggt_ros.node.rate_limit import RateLimit
from xstreamvggt_ros.parameters import InputParameters

# How often silence is looked for, in seconds.
SILENCE_PERIOD = 0.5
# Seconds between two warnings of images that come too late.
LATE_PERIOD = 5.0


class ImageInput:
    """
    Subscribe to an image topic and put what comes in a mailbox; say when nothing does.

    `parameters` gives the configuration as it is now, `camera` says which of its topics it is.
    While not `enabled`, images are dropped.
    """

    def __init__(
        self,
        node: Node,
        parameters: Callable[[], InputParameters],
        camera: int,
        mailbox: Mailbox,
        counters: Counters,
    ) -> None:
        """Begin to listen."""
        self._node = node
        self._parameters = parameters
        self._camera = camera
        self._mailbox = mailbox
        self._counters = counters
        self._rate_limit = RateLimit()
        self.enabled = True
        self._last_heard = time.monotonic()
        self._complain_from = 0.0
        self._subscription = self._subscribe()
        # Steady: with a simulated clock, a bag that has ended is silence too.
        self._timer = node.create_timer(
            SILENCE_PERIOD, self._mind_silence, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    @property
    def topic(self) -> str:
        """The topic's full name, remapped."""
        return self._subscription.topic_name

    @property
    def camera_topic(self) -> str:
        """The full name of the image topic without its transport, remapped."""
        return self._node.resolve_topic_name(self._parameters().topics[self._camera])

    def resubscribe(self) -> None:
        """Listen anew after the rule of the queue has changed."""
        old, self._subscription = self._subscription, self._subscribe()
        self._node.destroy_subscription(old)

    def destroy(self) -> None:
        """Cease to listen."""
        self._node.destroy_subscription(self._subscription)
        self._node.destroy_timer(self._timer)

    def _subscribe(self):
        parameters = self._parameters()
        newest = parameters.queue == 'newest'
        kind, topic = Image, parameters.topics[self._camera]
        if parameters.image_transport == 'compressed':
            # Resolved first: people remap the image, and the transport's suffix follows.
            kind, topic = CompressedImage, self.camera_topic + '/compressed'
        resolved = self._node.resolve_topic_name(topic)
        qos = input_qos(self._node, resolved, newest, parameters.queue_size)
        return self._node.create_subscription(kind, topic, self._receive, qos)

    def _receive(self, message: Image | CompressedImage) -> None:
        """Do no more than put the message where the worker finds it."""
        self._last_heard = time.monotonic()
        self._counters.receive(self._camera)
        if not self.enabled:
            self._counters.drop('disabled', self._camera)
            return
        # Images without a stamp have no time but their arrival's.
        stamp = message.header.stamp
        seconds = stamp_seconds(stamp) or self._last_heard
        if not self._rate_limit.admits(seconds, self._parameters().max_rate):
            self._counters.drop('max_rate', self._camera)
            return
        arrival = Arrival(message, self._last_heard, self._camera, ns_from_time(stamp))
        for reason in self._mailbox.put(arrival):
            self._counters.drop(reason, self._camera)
            if reason == 'late':
                self._node.get_logger().warning(
                    f"image dropped (late): one on {self.topic} is older than another camera's "
                    "that was taken already; raise input.reorder_window, or make the cameras' "
                    'clocks agree',
                    throttle_duration_sec=LATE_PERIOD,
                )

    def _mind_silence(self) -> None:
        timeout, now = self._parameters().silence_timeout, time.monotonic()
        if not timeout or now < max(self._last_heard + timeout, self._complain_from):
            return
        self._complain_from = now + timeout
        publishers = self._node.count_publishers(self.topic)
        why = (
            'nobody publishes there: is the camera running, and is input.image_topics or the '
            'remapping right?'
            if not publishers
            else f'though it has {publishers} publisher(s): is it paused, or its QoS incompatible?'
        )
        self._node.get_logger().warning(
            f'no images on {self.topic} for {now - self._last_heard:.0f} s, {why}'
        )
