# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Work that may take for ever is waited for within a bound."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
import queue
import threading
from typing import TypeVar

Result = TypeVar('Result')


class TookTooLong(RuntimeError):
    """Work was not done in time; it goes on, and nobody waits for it."""


class BoundedWork:
    """
    Do work in a thread of its own, one piece at a time, and wait no longer than `seconds`.

    What outlives that cannot be ended; until it has, further work is refused at once.
    """

    def __init__(self, seconds: float) -> None:
        """Start nothing yet."""
        self.seconds = seconds
        self._wanted: queue.SimpleQueue = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stuck: Future | None = None

    def do(self, work: Callable[[], Result]) -> Result:
        """Give what `work` returns, or raise what it raises; TookTooLong."""
        if self._stuck is not None and not self._stuck.done():
            raise TookTooLong('what came before is still being worked on')
        self._stuck = None
        if self._thread is None:
            # It dies with the process, so that what is stuck cannot keep it.
            self._thread = threading.Thread(target=self._run, name='bounded', daemon=True)
            self._thread.start()
        done: Future = Future()
        self._wanted.put((work, done))
        try:
            return done.result(self.seconds)
        except FutureTimeoutError:
            if done.done():
                # It is what the work itself raised, or it has just come.
                return done.result()
            self._stuck = done
            raise TookTooLong(f'it was not done after {self.seconds:g} s') from None

    def close(self) -> None:
        """Let the thread go once it is idle."""
        if self._thread is not None:
            self._wanted.put(None)
            self._thread = None

    def _run(self) -> None:
        while (item := self._wanted.get()) is not None:
            work, done = item
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 it is for whoever waits
                done.set_exception(error)
            # Nothing of it may live on while the thread waits for the next.
            del item, work, done
