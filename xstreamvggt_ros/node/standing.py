# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A transform that goes on to hold between two images, dated ahead for those who look it up."""

from __future__ import annotations

from dataclasses import dataclass
import threading

import numpy as np

from xstreamvggt_ros.geometry.stamps import NANOSECONDS

# An image that is older than this when it is taken in has the stamps of another clock.
SAME_CLOCK = 2 * NANOSECONDS


@dataclass(frozen=True, eq=False)
class Standing:
    """
    A transform (4, 4) between two frames, as an image told it.

    stamp_ns: the image's. taken_ns: when that was taken in by the node's clock, and `now` is by
    the same.
    """

    parent: str
    child: str
    matrix: np.ndarray
    stamp_ns: int
    taken_ns: int

    def time_ns(self, now_ns: int) -> int:
        """Give the present by the clock of the images' stamps."""
        if 0 <= self.taken_ns - self.stamp_ns <= SAME_CLOCK:
            return now_ns
        return self.stamp_ns + max(0, now_ns - self.taken_ns)


class StandingTransform:
    """
    Keep the newest transform and date it ahead of the present, each time later than the last.

    It is set by the worker, and dated by whoever repeats it.
    """

    def __init__(self) -> None:
        """Keep none."""
        self._lock = threading.Lock()
        self._newest: Standing | None = None
        self._last_ns = 0

    def set(self, newest: Standing | None) -> None:
        """Keep another from now on, or none."""
        with self._lock:
            before, self._newest = self._newest, newest
            if newest is None or before is None:
                self._last_ns = 0

    def dated(self, now_ns: int, tolerance: float) -> tuple[Standing, int] | None:
        """
        Give the transform and the stamp to send it with, `tolerance` seconds ahead.

        None where there is none, and where it was sent for that time already.
        """
        with self._lock:
            newest = self._newest
            if newest is None:
                return None
            stamp_ns = newest.time_ns(now_ns) + round(tolerance * NANOSECONDS)
            if 0 < self._last_ns - stamp_ns <= SAME_CLOCK or stamp_ns == self._last_ns:
                return None
            self._last_ns = stamp_ns
            return newest, stamp_ns
