# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the stamps of reconstructed images are news, and when their time begins anew."""

from __future__ import annotations

from collections.abc import Callable

from xstreamvggt_ros.intake.stamps import LOOP_BACK, ODD, Timing, ZERO
from xstreamvggt_ros.node.once import Once
from xstreamvggt_ros.parameters import Parameters

# What is counted of stamps that are no news.
REPEATED, BACKWARDS = 'duplicate_stamp', 'backward_stamp'
STAMPS_TOLD = {
    ZERO: 'the header.stamp of {} is 0, which is no time: their points and depth are published, '
    'but no TF, no odometry and no path; have the camera driver set header.stamp',
    ODD: 'a header.stamp of {} leaps by more than a second and is not taken for time unless the '
    'next one agrees: let the camera have one clock, and see whether two nodes publish there',
    REPEATED: '{} come several times with the same header.stamp; TF, odometry and path have each '
    'once: see whether two nodes publish there, or the driver repeats images',
    BACKWARDS: '{} come out of the order of their header.stamp; TF, odometry and path leave out '
    'those that are late',
}


class FrameTimes:
    """
    Follow the time of each camera's images.

    `parameters` gives the configuration as it is now. `remark`, to be replaced, counts what is odd
    about a stamp.
    """

    def __init__(self, parameters: Callable[[], Parameters], once: Once) -> None:
        """Begin before the first image."""
        self.remark: Callable[[str], None] = lambda word: None
        self._parameters = parameters
        self._once = once
        self._last: dict[int, int] = {}
        self._laps: dict[int, int] = {}
        # The cameras whose next lap is that which another has begun.
        self._follows: set[int] = set()

    def forget(self) -> None:
        """Take the next image's time as it is."""
        self._last.clear()

    def begins_anew(self, timing: Timing, camera: int) -> bool:
        """Whether a camera's time has begun again, and does not follow that of others."""
        before, self._laps[camera] = self._laps.get(camera), timing.lap
        if before not in (None, timing.lap) and camera not in self._follows:
            self._last.clear()
            # They go back with it, or have a clock of their own.
            self._follows = self._laps.keys() - {camera}
            return True
        if before != timing.lap or not timing.wrong:
            # What is wrong within a lap is perhaps the first of another one.
            self._follows.discard(camera)
        return False

    def is_news(self, timing: Timing, camera: int) -> bool:
        """Whether an image is later than all before it; what is odd about that is told once."""
        last = self._last.get(camera)
        wrong = timing.wrong
        # One that is much earlier takes back a leap ahead.
        if not wrong and last is not None and last - LOOP_BACK <= timing.time_ns <= last:
            wrong = REPEATED if timing.time_ns == last else BACKWARDS
            self.remark(wrong)
        if not wrong:
            self._last[camera] = timing.time_ns
        elif wrong in STAMPS_TOLD:
            images = self._parameters().input.images_of(camera)
            self._once.tell((wrong, camera), STAMPS_TOLD[wrong].format(images))
        return not wrong
