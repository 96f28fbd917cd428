# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Files whose disk may never answer: a mount that is gone, a pipe that nobody writes to.

What reads such a file waits in the kernel for ever, and no signal of Python's ends that. Here it
waits in a thread of its own, which dies with the process.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import partial
import os
import stat
import threading
import time
from typing import TypeVar

# Seconds that a disk has for its first answer: one that sleeps takes ten to turn again.
ANSWER_S = 30.0
# Bytes at both ends of a file, where its tables are. Read here, they are in memory when a library
# looks for them that would stop every thread of the process while it waits.
ENDS = 4 << 20

Result = TypeVar('Result')


def in_thread(function: Callable[[], Result], name: str) -> Future[Result]:
    """
    Begin `function` in a daemon thread called `name`; return the promise of its result.

    A promise that is cancelled is broken at once; the thread goes on, and its result is dropped.
    """
    promise: Future[Result] = Future()
    threading.Thread(target=_keep, args=(promise, function), name=name, daemon=True).start()
    return promise


def check_regular(path: str | os.PathLike) -> None:
    """
    See that a regular file is there and that its disk answers, waiting for at most ANSWER_S.

    Raises OSError where it cannot be opened, TimeoutError where nothing comes of that, and
    ValueError for a pipe, a device, a folder: to open one may wait for whoever writes there.
    """
    answer(partial(_look, path), path)


def answer(question: Callable[[], Result], path: str | os.PathLike) -> Result:
    """
    Give what a question to the disk of `path` gives; TimeoutError after ANSWER_S without.

    While one to the same folder has been waited for in vain, further ones are refused at once:
    each would hold up its caller as long, and leave another thread behind.
    """
    folder = os.path.dirname(os.path.abspath(path))
    if not any(
        each.in_vain(folder) for each in threading.enumerate() if isinstance(each, _Asking)
    ):
        asking = _Asking(question, os.fspath(path), folder)
        asking.start()
        wait([asking.promise], ANSWER_S)
        if asking.promise.done():
            return asking.promise.result()
    raise TimeoutError(
        f'{os.fspath(path)!r} does not answer: nothing has come of opening it for '
        f'{ANSWER_S:g} s; see whether the disk or the mount that it is on still is '
        '(findmnt -T names it), or copy it to another'
    )


class _Asking(threading.Thread):
    """A question to the disk of a file in a folder."""

    def __init__(self, question: Callable[[], object], path: str, folder: str) -> None:
        self.promise: Future = Future()
        super().__init__(
            target=_keep, args=(self.promise, question), name=f'ask for {path}', daemon=True
        )
        self._folder = folder
        self._overdue = time.monotonic() + ANSWER_S

    def in_vain(self, folder: str) -> bool:
        """Whether it has been waited for long enough, and of that folder."""
        waits = not self.promise.done() and time.monotonic() >= self._overdue
        return waits and folder == self._folder


def _keep(promise: Future, function: Callable[[], object]) -> None:
    result = error = None
    try:
        result = function()
    except BaseException as raised:  # noqa: BLE001 it is for whoever waits
        error = raised
    if not promise.set_running_or_notify_cancel():
        return
    if error is None:
        promise.set_result(result)
    else:
        promise.set_exception(error)


def _look(path: str | os.PathLike) -> None:
    _refuse_irregular(path, os.stat(path).st_mode)
    # Another may be there by now.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        found = os.fstat(descriptor)
        _refuse_irregular(path, found.st_mode)
        for offset in {0, max(0, found.st_size - ENDS)}:
            os.pread(descriptor, ENDS, offset)
    finally:
        os.close(descriptor)


def _refuse_irregular(path: str | os.PathLike, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise ValueError(f'{os.fspath(path)} is no regular file')
