# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the watch over the stream says, to the log and to /diagnostics."""

from __future__ import annotations

from collections.abc import Callable
import os
import threading

from rclpy.impl.rcutils_logger import RcutilsLogger

from xstreamvggt_ros.guard import GuardReport
from xstreamvggt_ros.node.seldom import Seldom
from xstreamvggt_ros.parameters import WatchParameters
from xstreamvggt_ros.stream import FrameReconstructor, save_snapshot

LEVELS = ('ok', 'warn', 'error')
# Actions that end a stream are always logged, other warnings once in a while.
# Failed streams that are saved under one name.
MOST_SAVED = 20
ENDINGS = ('reset', 'reanchored', 'lost')


def saving(
    parameters: Callable[[], WatchParameters], logger: RcutilsLogger
) -> Callable[[FrameReconstructor], None]:
    """Make what saves a failed stream, before it is dropped, where `parameters` then say."""

    def save(abandoned: FrameReconstructor) -> None:
        path = parameters().snapshot_path
        if not path:
            return
        try:
            file = save_snapshot(free_name(path), abandoned)
        except Exception as error:  # the stream goes on whatever becomes of the file
            logger.error(f'the failed stream could not be saved to {path!r}: {error}')
        else:
            logger.warning(f'the failed stream was saved to {file}')

    return save


def free_name(path: str) -> str:
    """
    Give `path` or, where there is such a file, the first of `path_2`, `path_3`, ... that is free.

    The number is put before the suffix. OSError where there are as many already as one wants to
    find when a stream fails again and again.
    """
    stem, suffix = os.path.splitext(os.path.expanduser(path))
    for number in range(1, MOST_SAVED + 1):
        file = f'{stem}{suffix}' if number == 1 else f'{stem}_{number}{suffix}'
        if not os.path.lexists(file):
            return file
    raise OSError(f'there are {MOST_SAVED} of it already; move them elsewhere')


class WatchLog:
    """
    Log the reports of the watch and keep the worst for diagnostics.

    Frames come more often than diagnostics are sent: `take` gives the worst since it was called.
    """

    def __init__(self, logger: RcutilsLogger) -> None:
        """Begin with nothing to report."""
        self._logger = logger
        self._lock = threading.Lock()
        self._newest: GuardReport | None = None
        self._worst: GuardReport | None = None
        self._seldom = Seldom()

    def note(self, report: GuardReport) -> None:
        """Take the report of a frame."""
        with self._lock:
            self._newest = report
            if self._worst is None or _grade(report) >= _grade(self._worst):
                self._worst = report
        self._log(report)

    def take(self) -> GuardReport | None:
        """Give the worst report since the last call, or the newest; None before a frame."""
        with self._lock:
            worst, self._worst = self._worst, None
            return worst or self._newest

    def _log(self, report: GuardReport) -> None:
        if report.level == 'ok':
            return
        if not self._seldom.admits() and report.action not in ENDINGS:
            return
        if report.level == 'error':
            self._logger.error(str(report))
        elif report.action in ENDINGS:
            self._logger.warning(str(report))
        else:
            self._logger.warning(f'the stream looks wrong: {report}')


def _grade(report: GuardReport) -> int:
    return LEVELS.index(report.level)
