# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""In what order frames that wait are taken, and which give way; no ROS, and no locks."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.intake.stamps import LOOP_BACK, Timing

# Seconds in which the other cameras follow one whose time has changed; one that does not has
# another clock.
FOLLOWING = 1.0


@dataclass(frozen=True)
class Arrival:
    """
    A message and when it came, by time.monotonic().

    camera: which of several took it. stamp_ns: what puts it in order, in nanoseconds: its own
    stamp where that is time. timing: what the stamp says beside that.
    """

    message: Any
    at: float
    camera: int = 0
    stamp_ns: int = 0
    timing: Timing = Timing(0)

    @property
    def size(self) -> int:
        """The message's bytes, as far as it has data."""
        return len(getattr(self.message, 'data', ()))


class Arrivals(Protocol):
    """Frames that wait, by a rule."""

    def set_rule(self, newest: bool, size: int) -> list[int]:
        """
        Change the rule: of each camera the newest, or every one up to `size` that wait.

        With the former, what waits gives way to each camera's newest: the camera of each dropped.
        """

    def put(self, frame: Arrival) -> list[str]:
        """Add a frame; return a reason for each of its camera that is dropped, also another."""

    def take(self, now: float) -> tuple[Arrival | None, float | None]:
        """Give the next frame, or in how many seconds there may be one, None if not by itself."""

    def clear(self) -> list[Arrival]:
        """Discard what waits and return it."""


class InTurn:
    """
    Hold the frames of one camera, taken as they came.

    With `newest`, one frame waits and a newer one takes its place; otherwise up to `size` frames
    wait and what arrives beyond them is refused.
    """

    def __init__(self, newest: bool = True, size: int = 1) -> None:
        """Begin empty."""
        self._frames: deque[Arrival] = deque()
        self.set_rule(newest, size)

    def set_rule(self, newest: bool, size: int) -> list[int]:
        """Change the rule; the camera of each frame that is dropped."""
        self._newest = newest
        self._size = 1 if newest else size
        dropped = []
        while newest and len(self._frames) > 1:
            dropped.append(self._frames.popleft().camera)
        return dropped

    def put(self, frame: Arrival) -> list[str]:
        """Add a frame."""
        full = len(self._frames) >= self._size
        if full and not self._newest:
            return ['queue_full']
        if full:
            self._frames.popleft()
        self._frames.append(frame)
        return ['superseded'] if full else []

    def take(self, now: float) -> tuple[Arrival | None, float | None]:
        """Give the one that came first."""
        return (self._frames.popleft() if self._frames else None), None

    def clear(self) -> list[Arrival]:
        """Discard what waits."""
        discarded = list(self._frames)
        self._frames.clear()
        return discarded


class _Key(NamedTuple):
    """The order of frames: how often time has begun again before, and when in that lap."""

    lap: int
    time_ns: int


class _Waiting(NamedTuple):
    """A frame that waits; `number` counts them, so that equal stamps keep their order."""

    key: _Key
    number: int
    frame: Arrival


class InStampOrder:
    """
    Hold the frames of several cameras, taken in the order of their stamps.

    A frame is given once each camera has one waiting, of which it is the oldest, or `window`
    seconds after it came; one that is older than the last given comes too late. With `newest`, of
    the frames of a camera that have waited for so long only the newest stays, and one that was
    next when another camera's was given: without that, the one whose stamps are always a little
    earlier would be the only one. Otherwise up to `size` of each camera wait and what arrives
    beyond them is refused.

    A stamp that goes back by more than a second against its own camera's begins a new lap, which
    comes after all of the last one. The other cameras follow as their own stamps go back, or come
    near the new lap's. One that is in another lap, or by more than a second and the window behind
    the latest time, for longer than a second has a clock that has parted from the others': what
    then lies between the two is taken off its stamps for as long as that holds, and `parted` told
    which camera it is and how many seconds that is, negative where it is behind.
    """

    def __init__(
        self,
        cameras: int,
        window: float,
        newest: bool = True,
        size: int = 1,
        parted: Callable[[int, float], None] = lambda camera, seconds: None,
    ) -> None:
        """Begin empty."""
        self.window = window
        self._parted = parted
        self._waiting: list[list[_Waiting]] = [[] for _ in range(cameras)]
        self._number = 0
        self._given: _Key | None = None
        # The numbers of the frames that were next when another camera's was given.
        self._next: list[int | None] = [None] * cameras
        self._lap = 0
        self._laps = [0] * cameras
        self._last: list[int | None] = [None] * cameras
        # What is taken off each camera's stamps.
        self._ahead = [0] * cameras
        # Since when each camera has been elsewhere than the others.
        self._left_at: list[float | None] = [None] * cameras
        # The latest time of the present lap.
        self._front: int | None = None
        self.set_rule(newest, size)

    def set_rule(self, newest: bool, size: int) -> list[int]:
        """Change the rule; the camera of each frame that is dropped."""
        self._newest = newest
        self._size = size
        dropped = []
        for camera, waiting in enumerate(self._waiting if newest else ()):
            dropped += [camera] * len(waiting[:-1])
            del waiting[:-1]
        return dropped

    def put(self, frame: Arrival) -> list[str]:
        """Add a frame."""
        key = self._key(frame)
        if self._given is not None and key < self._given:
            return ['late']
        waiting = self._waiting[frame.camera]
        if not self._newest and len(waiting) >= self._size:
            return ['queue_full']
        self._number += 1
        insort(waiting, _Waiting(key, self._number, frame))
        return self._give_way(frame.camera, frame.at) if self._newest else []

    def take(self, now: float) -> tuple[Arrival | None, float | None]:
        """Give the oldest frame, where none that is older can come in time."""
        first = [waiting[0] for waiting in self._waiting if waiting]
        if not first:
            return None, None
        oldest = min(first)
        seconds = oldest.frame.at + self.window - now
        if seconds > 0 and len(first) < len(self._waiting):
            return None, seconds
        self._waiting[oldest.frame.camera].remove(oldest)
        self._given = oldest.key
        self._next = [waiting[0].number if waiting else None for waiting in self._waiting]
        self._next[oldest.frame.camera] = None
        return oldest.frame, None

    def clear(self) -> list[Arrival]:
        """Discard what waits."""
        discarded = [each.frame for waiting in self._waiting for each in waiting]
        for waiting in self._waiting:
            waiting.clear()
        return discarded

    def _give_way(self, camera: int, now: float) -> list[str]:
        """Drop what has had its time, but for the newest of it and what was next."""
        waiting = self._waiting[camera]
        first = int(waiting[0].number == self._next[camera])
        ripe = sum(each.frame.at + self.window <= now for each in waiting[first:])
        surplus = max(0, ripe - 1, len(waiting) - first - self._size)
        del waiting[first : first + surplus]
        return ['superseded'] * surplus

    def _key(self, frame: Arrival) -> _Key:
        camera, stamp_ns = frame.camera, frame.stamp_ns
        if frame.timing.wrong:
            # Without a time of its own it comes after all that did.
            now = _Key(self._lap, stamp_ns if self._front is None else self._front)
            return now if self._given is None else max(now, self._given)
        last, self._last[camera] = self._last[camera], stamp_ns
        if last is not None and last - stamp_ns > LOOP_BACK:
            self._begin_again(camera)
        elif self._front is not None:
            self._follow(camera, stamp_ns, frame.at)
        time_ns = stamp_ns - self._ahead[camera]
        if self._laps[camera] == self._lap:
            self._front = time_ns if self._front is None else max(self._front, time_ns)
        return _Key(self._laps[camera], time_ns)

    def _begin_again(self, camera: int) -> None:
        """Take a camera whose stamp went back into a new lap, unless there is one already."""
        if self._laps[camera] == self._lap:
            self._lap += 1
            self._front = None
        self._enter(camera, 0)

    def _follow(self, camera: int, stamp_ns: int, now: float) -> None:
        """Bring a camera to the others, where it has been left behind by them for long."""
        apart = stamp_ns - self._front
        behind = self._ahead[camera] - apart
        if self._laps[camera] == self._lap and behind <= max(LOOP_BACK, self.window * NANOSECONDS):
            self._left_at[camera] = None
        elif abs(apart) <= LOOP_BACK:
            self._enter(camera, 0)
        elif self._left_at[camera] is None:
            self._left_at[camera] = now
        elif now - self._left_at[camera] > FOLLOWING:
            self._enter(camera, apart)
            self._parted(camera, apart / NANOSECONDS)

    def _enter(self, camera: int, ahead: int) -> None:
        """Take a camera into the present lap, with so much taken off its stamps."""
        self._laps[camera] = self._lap
        self._ahead[camera] = ahead
        self._left_at[camera] = None
