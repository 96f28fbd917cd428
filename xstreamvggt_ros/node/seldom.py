# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What would fill the log is said seldom."""

from __future__ import annotations

from collections.abc import Callable
import time


class Seldom:
    """
    Let a text of each kind through at most once in `period` seconds.

    rclpy's own throttle_duration_sec counts for a line of source, whoever comes by there.
    """

    def __init__(self, period: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin silent; `clock` gives seconds."""
        self._period = period
        self._clock = clock
        self._next: dict[str, float] = {}

    def admits(self, kind: str = '') -> bool:
        """Whether it is to be said now; what it is counts as said then. Kinds are few."""
        now = self._clock()
        if now < self._next.get(kind, now):
            return False
        self._next[kind] = now + self._period
        return True
