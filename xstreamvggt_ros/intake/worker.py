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
import threading
import time
from typing import Any

from xstreamvggt_ros.intake.arrivals import Arrival, Arrivals
from xstreamvggt_ros.intake.counters import Counters

WORKER_THREAD = 'reconstruction'


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
        self._jobs: deque[Job] = deque()
        self._closed = False

    def set_rule(self, newest: bool, size: int) -> None:
        """Change the rule for what arrives from now on."""
        with self._condition:
            self._frames.set_rule(newest, size)
            self._condition.notify()

    def put(self, frame: Arrival) -> list[str]:
        """Add a frame; return a reason for each one that is dropped."""
        with self._condition:
            dropped = self._frames.put(frame)
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

    def take(self) -> Job | Arrival | None:
        """Wait for the next thing to do; None when closed."""
        with self._condition:
            while not self._closed:
                if self._jobs:
                    return self._jobs.popleft()
                frame, seconds = self._frames.take(time.monotonic())
                if frame is not None:
                    return frame
                self._condition.wait(seconds)
            return None

    def close(self) -> list[Arrival]:
        """Let the worker go; cancel jobs, discard frames and return those."""
        with self._condition:
            self._closed = True
            for job in self._jobs:
                job.result.cancel()
            self._jobs.clear()
            self._condition.notify_all()
            return self._frames.clear()


class WorkerBusy(RuntimeError):
    """The worker did not finish the frame in hand in time."""


class Worker:
    """
    Run `infer` on every frame and `publish` on what it returns, in one thread of its own.

    An exception of either drops that frame: `failed` is told and returns the reason to count it
    under. The thread goes on until `stop`.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        infer: Callable[[Arrival], Any],
        publish: Callable[[Any], None],
        failed: Callable[[Exception], str],
        counters: Counters,
    ) -> None:
        """Start the thread. It dies with the process, so that a stuck network cannot keep it."""
        self._mailbox = mailbox
        self._infer = infer
        self._publish = publish
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
            self._counters.drop('stopped', arrival.camera)
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise WorkerBusy(f'the network is still busy with a frame after {timeout:g} s')

    def _run(self) -> None:
        while (item := self._mailbox.take()) is not None:
            if isinstance(item, Job):
                item.run()
            else:
                self._handle(item)
            # Nothing of the last frame may live on while the thread waits for the next.
            del item

    def _handle(self, arrival: Arrival) -> None:
        try:
            result = self._infer(arrival)
            if self._stopping.is_set():
                self._counters.drop('stopped', arrival.camera)
                return
            self._publish(result)
        except Exception as error:
            self._counters.drop(self._failed(error), arrival.camera)
        else:
            self._counters.process(time.monotonic() - arrival.at, arrival.camera)
