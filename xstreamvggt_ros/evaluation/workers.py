# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs in processes of their own, side by side; one that dies takes no other with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
import multiprocessing
import os
from queue import Empty, SimpleQueue
import signal
import threading
import time
import traceback

from xstreamvggt_ros.evaluation.plan import PlannedRun

# How long a worker whose sweep is gone has to put its things in order.
LAST_SECONDS = 20.0


@dataclass(frozen=True)
class RunFailure:
    """Why a run failed: the kind of error, its sentence and where it came from."""

    kind: str
    message: str
    trace: str = ''

    @classmethod
    def of(cls, error: BaseException) -> RunFailure:
        """Take an error apart, also one that came from another process."""
        trace = ''.join(traceback.format_exception(error))
        return cls(type(error).__name__, str(error) or type(error).__name__, trace)


Finished = tuple[PlannedRun, RunFailure | None]


def local_runs(
    runs: Sequence[PlannedRun],
    execute: Callable[[PlannedRun], object],
    jobs: int,
    threads: int,
) -> Iterator[Finished]:
    """
    Execute the runs in `jobs` processes of `threads` torch threads each; give each as it ends.

    Left early, it interrupts the runs in hand and waits for their processes to end.
    """
    waiting: SimpleQueue[PlannedRun] = SimpleQueue()
    for run in runs:
        waiting.put(run)
    finished: SimpleQueue[Finished] = SimpleQueue()
    slots = [_Slot(threads) for _ in range(min(jobs, len(runs)))]
    with ThreadPoolExecutor(max(1, len(slots))) as keepers:
        for slot in slots:
            keepers.submit(slot.work, waiting, execute, finished)
        try:
            for _ in runs:
                yield finished.get()
        finally:
            _drain(waiting)
            for slot in slots:
                slot.interrupt()


class _Slot:
    """One process at a time, replaced where it died."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pid: int | None = None
        self._busy = False

    def work(
        self,
        waiting: SimpleQueue[PlannedRun],
        execute: Callable[[PlannedRun], object],
        finished: SimpleQueue[Finished],
    ) -> None:
        """Take runs until none waits."""
        pool = None
        while (run := _next(waiting)) is not None:
            self._busy = True
            try:
                if pool is None:
                    pool = self._pool()
                pool.submit(_quietly, execute, run).result()
                failure = None
            except BrokenProcessPool:
                failure = RunFailure(
                    'ProcessDied',
                    'its process was killed or crashed; if memory ran out, use fewer --jobs, '
                    'a smaller budget or --max-frames',
                )
                pool.shutdown()
                pool = self._pid = None
            except BaseException as error:
                failure = RunFailure.of(error)
            self._busy = False
            finished.put((run, failure))
        if pool is not None:
            pool.shutdown()

    def interrupt(self) -> None:
        """End the run in hand."""
        if self._busy and self._pid is not None:
            try:
                os.kill(self._pid, signal.SIGINT)
            except ProcessLookupError:
                pass

    def _pool(self) -> ProcessPoolExecutor:
        # A forked process would share locks of torch's and of ROS's threads.
        pool = ProcessPoolExecutor(
            1, multiprocessing.get_context('spawn'), _prepare, (self._threads,)
        )
        self._pid = pool.submit(os.getpid).result()
        return pool


def limit_threads(threads: int) -> None:
    """Have torch, and what this process starts, use so many threads."""
    import torch

    os.environ['OMP_NUM_THREADS'] = str(threads)
    torch.set_num_threads(threads)


def _prepare(threads: int) -> None:
    """Begin a worker's life."""
    # A shell's background jobs ignore SIGINT, and so would what they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    limit_threads(threads)
    threading.Thread(target=_follow_parent, daemon=True).start()


def _follow_parent() -> None:
    """End with the sweep, however that ends."""
    multiprocessing.parent_process().join()
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(LAST_SECONDS)
    os._exit(1)


def _quietly(execute: Callable[[PlannedRun], object], run: PlannedRun) -> None:
    """Leave the record on the disk: it need not come back through a pipe."""
    try:
        execute(run)
    except KeyboardInterrupt:
        if not multiprocessing.parent_process().is_alive():
            # All is in order, and there is nobody to wait for.
            os._exit(1)
        raise


def _next(waiting: SimpleQueue[PlannedRun]) -> PlannedRun | None:
    try:
        return waiting.get_nowait()
    except Empty:
        return None


def _drain(waiting: SimpleQueue[PlannedRun]) -> None:
    while _next(waiting) is not None:
        pass
