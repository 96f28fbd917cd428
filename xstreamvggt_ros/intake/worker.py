# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
One thread that owns the network: frames come in at a mailbox and leave as published results.

The executor's thread only puts frames here, so that a slow network never makes it late. Whatever
touches the network besides (a reset) is a job that the same thread does between two frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
import threading
import time
from typing import Any, Protocol

from xstreamvggt_ros.intake.arrivals import Arrival, Arrivals
from xstreamvggt_ros.intake.counters import Counters, STOPPED

WORKER_THREAD = 'reconstruction'
# What a mailbox gives where there is nothing to do yet, or any more.
NOTHING, CLOSED = object(), object()


class Job:
    """Something to be done between two frames, and the promise of its result."""

    def __init__(self, function: Callable[[], Any]) -> None:
        """Take what is to be done."""
        self._function = function
        self.result: Future = Future()

    def run(self) -> None:
        """Do it; an exception goes to whoever waits for the result."""
        if not self.result.set_running_or_notify_cancel():
            return
        try:
            self.result.set_result(self._function())
        except Exception as error:
            self.result.set_exception(error)


class Mailbox:
    """Hold what waits for the worker; jobs go before frames, and those by the rule of `frames`."""

    def __init__(self, frames: Arrivals) -> None:
        """Begin empty."""
        self._condition = threading.Condition()
        self._frames = frames
        self._newest = False
        self._most_bytes = 0
        # Of the frames that wait, while none gives way to another.
        self._sizes: dict[int, int] = {}
        self._bytes = 0
        self._jobs: deque[Job] = deque()
        self._closed = False

    def set_rule(self, newest: bool, size: int, most_bytes: int = 0) -> list[int]:
        """Change the rule, 0 bytes being no bound; the camera of each frame that is dropped."""
        with self._condition:
            self._newest, self._most_bytes = newest, most_bytes
            if newest:
                self._forget_sizes()
            dropped = self._frames.set_rule(newest, size)
            self._condition.notify()
            return dropped

    def put(self, frame: Arrival) -> list[str]:
        """Add a frame; return a reason for each one that is dropped."""
        with self._condition:
            size = 0 if self._newest else frame.size
            if self._most_bytes and self._bytes and self._bytes + size > self._most_bytes:
                return ['queue_full']
            dropped = self._frames.put(frame)
            if size and not dropped:
                self._sizes[id(frame)] = size
                self._bytes += size
            self._condition.notify()
            return dropped

    def post(self, job: Job) -> None:
        """Add a job; it is cancelled at once where the mailbox is closed."""
        with self._condition:
            if self._closed:
                job.result.cancel()
                return
            self._jobs.append(job)
            self._condition.notify()

    @property
    def newest(self) -> bool:
        """Whether frames that wait give way to newer ones."""
        return self._newest

    def take(self, wait: bool = True) -> Job | Arrival | object:
        """Give the next thing to do, waiting for it, or NOTHING at once; CLOSED at the end."""
        with self._condition:
            while not self._closed:
                if self._jobs:
                    return self._jobs.popleft()
                frame, seconds = self._frames.take(time.monotonic())
                if frame is not None:
                    self._bytes -= self._sizes.pop(id(frame), 0)
                    return frame
                if not wait:
                    return NOTHING
                self._condition.wait(seconds)
            return CLOSED

    def close(self) -> list[Arrival]:
        """Let the worker go; cancel jobs, discard frames and return those."""
        with self._condition:
            self._closed = True
            for job in self._jobs:
                job.result.cancel()
            self._jobs.clear()
            self._forget_sizes()
            self._condition.notify_all()
            return self._frames.clear()

    def _forget_sizes(self) -> None:
        self._sizes.clear()
        self._bytes = 0


class WorkerBusy(RuntimeError):
    """The worker did not finish the frame in hand in time."""


class Stages(Protocol):
    """
    What becomes of a frame, in four steps; each takes what the one before gave.

    Where the network `overlaps`, it works by itself between `begin` and `finish`: the next frame
    is then prepared meanwhile, and begun before this one is published. `begin` and `finish` of the
    frames take turns all the same.
    """

    @property
    def overlaps(self) -> bool:
        """Whether the next frame may be begun before this one is published."""

    def prepare(self, arrival: Arrival) -> Any:
        """Do what depends on no other frame."""

    def begin(self, prepared: Any) -> Any:
        """Have the network begin."""

    def finish(self, begun: Any) -> Any:
        """Wait for the network, and say what came of it."""

    def publish(self, finished: Any) -> None:
        """Send it."""


@dataclass
class _InHand:
    """A frame that was begun: what it has come to."""

    arrival: Arrival
    value: Any
    finished: bool = False
    failed: bool = False


class Worker:
    """
    Take every frame through its `stages`, in one thread of its own.

    An exception of any drops that frame: `failed` is told and returns the reason to count it
    under. The thread goes on until `stop`.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        stages: Stages,
        failed: Callable[[Exception], str],
        counters: Counters,
    ) -> None:
        """Start the thread. It dies with the process, so that a stuck network cannot keep it."""
        self._mailbox = mailbox
        self._stages = stages
        self._failed = failed
        self._counters = counters
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=WORKER_THREAD, daemon=True)
        self._thread.start()

    def post(self, function: Callable[[], Any]) -> Future:
        """Have `function` done between two frames; return the promise of its result."""
        job = Job(function)
        self._mailbox.post(job)
        return job.result

    def stop(self, timeout: float) -> None:
        """
        End the thread; the frame in hand is not published.

        Raises WorkerBusy when that frame takes longer than `timeout` seconds; the thread then ends
        after it.
        """
        self._stopping.set()
        for arrival in self._mailbox.close():
            self._counters.drop(STOPPED, arrival.camera)
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise WorkerBusy(f'the network is still busy with a frame after {timeout:g} s')

    def _run(self) -> None:
        hand: _InHand | None = None
        while True:
            if hand is not None and self._mailbox.newest:
                # Whatever is newest once the network is free comes next.
                self._finish(hand)
            item = self._mailbox.take(wait=hand is None)
            if isinstance(item, Arrival):
                hand = self._advance(hand, item)
            else:
                self._complete(hand)
                hand = None
                if isinstance(item, Job):
                    item.run()
                elif item is CLOSED:
                    return
            # Nothing of the last frame may live on while the thread waits for the next.
            del item

    def _advance(self, hand: _InHand | None, arrival: Arrival) -> _InHand | None:
        """Begin a frame, and publish the one before; give what is then in hand."""
        following = _InHand(arrival, arrival)
        self._try(following, self._stages.prepare)
        self._finish(hand)
        self._try(following, self._stages.begin)
        self._complete(hand)
        if self._stages.overlaps and not following.failed:
            return following
        self._complete(following)
        return None

    def _finish(self, hand: _InHand | None) -> None:
        if hand is not None and not hand.finished:
            hand.finished = True
            self._try(hand, self._stages.finish)

    def _complete(self, hand: _InHand | None) -> None:
        """Take a frame to its end."""
        if hand is None or hand.failed:
            return
        self._finish(hand)
        if self._stopping.is_set() and not hand.failed:
            hand.failed = True
            self._counters.drop(STOPPED, hand.arrival.camera)
        self._try(hand, self._stages.publish)
        if not hand.failed:
            arrival = hand.arrival
            self._counters.process(time.monotonic() - arrival.at, arrival.camera)

    def _try(self, hand: _InHand, stage: Callable[[Any], Any]) -> None:
        if hand.failed:
            return
        try:
            hand.value = stage(hand.value)
        except Exception as error:
            hand.failed, hand.value = True, None
            self._counters.drop(self._failed(error), hand.arrival.camera)
