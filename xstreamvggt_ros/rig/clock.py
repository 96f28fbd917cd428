# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bag's time, on the wall and on /clock."""

from __future__ import annotations

import time

from builtin_interfaces.msg import Time
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.rig.link import Link

CLOCK_TOPIC = '/clock'


class Timeline:
    """Let `rate` seconds of the bag pass in a second, from `start_ns` of the bag and now."""

    def __init__(self, start_ns: int, rate: float):
        """Begin now."""
        self.start_ns = start_ns
        self.rate = rate
        self._began = time.monotonic()

    def seconds_until(self, bag_ns: int) -> float:
        """Give the seconds from now until it is `bag_ns`; negative where it was."""
        due = self._began + (bag_ns - self.start_ns) / NANOSECONDS / self.rate
        return due - time.monotonic()


class BagClock:
    """
    Wait for times of the bag, and publish them on /clock meanwhile.

    `rate` is seconds of the bag a second. `hz` is how often in a second of the wall's time to
    publish; 0 publishes each time that is waited for, None nothing.
    """

    def __init__(self, link: Link, hz: float | None, rate: float = 1.0):
        """Create the publisher, where one is wanted."""
        self._link = link
        self._hz = hz
        self._rate = rate
        self._publisher = None if hz is None else _clock_publisher(link.node)
        self._next_ns = 0

    def begin(self, start_ns: int) -> None:
        """Have it be `start_ns` of the bag now."""
        self._timeline = Timeline(start_ns, self._rate)
        self._next_ns = start_ns
        if self._hz:
            self._tick()

    def wait_until(self, bag_ns: int) -> None:
        """Return when it is `bag_ns`, at once where it was."""
        while self._hz and self._next_ns < bag_ns:
            self._link.spin_for(self._timeline.seconds_until(self._next_ns))
            self._tick()
        self._link.spin_for(self._timeline.seconds_until(bag_ns))
        if self._hz == 0:
            self._publish(bag_ns)

    def _tick(self) -> None:
        self._publish(self._next_ns)
        step_ns = round(NANOSECONDS * self._rate / self._hz)
        self._next_ns += max(step_ns, 1)

    def _publish(self, bag_ns: int) -> None:
        sec, nanosec = divmod(bag_ns, NANOSECONDS)
        self._publisher.publish(Clock(clock=Time(sec=sec, nanosec=nanosec)))


def _clock_publisher(node: Node):
    # Reliable serves those who ask for it and those who do not.
    return node.create_publisher(Clock, CLOCK_TOPIC, 10)
