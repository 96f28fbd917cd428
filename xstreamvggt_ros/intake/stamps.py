# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which stamps of a camera are time: none that is 0, or that nothing before or after it fits."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from statistics import median

from xstreamvggt_ros.geometry.stamps import NANOSECONDS

# A stamp that goes back by more than this many nanoseconds is a bag that begins again, or wrong.
LOOP_BACK = NANOSECONDS
# Periods that a camera may leave out before what follows is either a gap or wrong.
FEW_PERIODS = 5
# The period is the median of so many steps.
STEPS = 15
ZERO, ODD = 'zero_stamp', 'odd_stamp'


@dataclass(frozen=True)
class Timing:
    """
    What a stamp says.

    time_ns: what puts its image in order: the stamp, or the one before where the stamp is no time;
    `wrong` is then the word for what it is. lap: how often time has begun again before; back_ns:
    by how much it went back when this lap began.
    """

    time_ns: int
    wrong: str = ''
    lap: int = 0
    back_ns: int = 0


class StampJudge:
    """
    Judge a camera's stamps one by one.

    A single stamp that goes back by more than a second, or far ahead, is odd and starts nothing.
    Where the next agrees with it, time has begun again, or there was a gap.
    """

    def __init__(self, lap: int = 0) -> None:
        """Take the first stamp as time."""
        self._last: int | None = None
        # What was last before it jumped ahead.
        self._before_jump: int | None = None
        self._suspect: int | None = None
        self._steps: deque[int] = deque(maxlen=STEPS)
        self._rested = False
        self._lap, self._back = lap, 0

    def anew(self) -> StampJudge:
        """Give one that takes the next stamp as time, whatever it is, in the same lap."""
        return StampJudge(self._lap)

    def rest(self) -> None:
        """Take the next stamp as time however far ahead it is: nothing was listened to."""
        self._rested = True

    def judge(self, stamp_ns: int) -> Timing:
        """Say what the next stamp is."""
        if stamp_ns <= 0:
            return self._timing(self._last or 0, ZERO)
        last, suspect = self._last, self._suspect
        if last is None or not self._leaps(stamp_ns - last) or self._returns(stamp_ns):
            return self._accept(stamp_ns)
        if suspect is None or not 0 < stamp_ns - suspect <= self._reach:
            self._suspect = stamp_ns
            return self._timing(last, ODD)
        if suspect < last:
            self._lap, self._back = self._lap + 1, last - suspect
            self._last = None
        return self._accept(stamp_ns)

    @property
    def _reach(self) -> int:
        """How far ahead the next stamp may be."""
        return max(LOOP_BACK, FEW_PERIODS * int(median(self._steps)) if self._steps else 0)

    def _leaps(self, step: int) -> bool:
        """Whether a step is one that has to be agreed with; the first says what steps are."""
        ahead = bool(self._steps) and not self._rested and step > self._reach
        return step < -LOOP_BACK or ahead

    def _returns(self, stamp_ns: int) -> bool:
        """Whether what was accepted last was a leap ahead that this stamp takes back."""
        return self._before_jump is not None and self._before_jump < stamp_ns < self._last

    def _accept(self, stamp_ns: int) -> Timing:
        if self._last is not None:
            step = stamp_ns - self._last
            self._before_jump = self._last if step > self._reach else None
            if step > 0 and not self._rested:
                self._steps.append(step)
        self._last, self._suspect, self._rested = stamp_ns, None, False
        return self._timing(stamp_ns)

    def _timing(self, time_ns: int, wrong: str = '') -> Timing:
        return Timing(time_ns, wrong, self._lap, self._back)


class StampJudges:
    """Judge the stamps of several cameras, each by its own."""

    def __init__(self) -> None:
        """Know of no camera yet."""
        self._judges: defaultdict[int, StampJudge] = defaultdict(StampJudge)

    def judge(self, camera: int, stamp_ns: int) -> Timing:
        """Say what a camera's next stamp is."""
        return self._judges[camera].judge(stamp_ns)

    def rest(self) -> None:
        """Take a gap that follows for what it is: the images were not listened to."""
        for judge in self._judges.values():
            judge.rest()

    def forget(self) -> None:
        """Take every camera's next stamp as time; for any thread."""
        # One that is judging meanwhile does so by the old one.
        for camera, judge in list(self._judges.items()):
            self._judges[camera] = judge.anew()
