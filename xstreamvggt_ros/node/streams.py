# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When streams begin, and why."""

from __future__ import annotations

from collections.abc import Callable
import time

from xstreamvggt_ros.node.observed import StreamState
from xstreamvggt_ros.pipeline import Pending

FIRST = 'the first image'
BY_THE_WATCH = 'the watch over the stream ended the one before'


class StreamLog:
    """
    Count the streams and say once of each why it begins.

    `count` is of all that the network began, `world` of those whose outputs have nothing to do
    with what was before: a stream that was chained to the one before goes on in its world.
    `warn` and `inform` take a line for the log, of streams that nobody asked for and of others.
    """

    def __init__(self, warn: Callable[[str], None], inform: Callable[[str], None]) -> None:
        """Begin without a stream."""
        self.count = self.world = 0
        self._warn = warn
        self._inform = inform
        self._why = FIRST
        self._asked = True
        self._newest: tuple[int, int] | None = None
        self._began_at = 0.0
        self._reason = ''

    @property
    def state(self) -> StreamState:
        """Which stream it is."""
        age = time.monotonic() - self._began_at if self.count else None
        return StreamState(self.count, self.world, self._reason, age)

    def expect(self, why: str, asked: bool = False) -> None:
        """Take the reason for which the next image will be the first of its stream."""
        self._why, self._asked = why, asked

    def note(self, reconstruction: Pending) -> None:
        """See whether a frame is of another stream than the one before."""
        report = reconstruction.report
        stream = reconstruction.world, report.segment
        if stream == self._newest:
            # What was expected did not happen.
            self._why = ''
            return
        if self._newest is None or self._newest[0] != reconstruction.world:
            self.world += 1
        self._newest = stream
        self.count += 1
        why, self._why = self._why, ''
        self._reason, self._began_at = why or BY_THE_WATCH, time.monotonic()
        # Without a reason from outside it is the watch's doing, which says so itself.
        if not why:
            return
        text = f'stream {self.count} begins: {why}'
        # rclpy tells log calls apart by their line, and allows each one severity.
        if self._asked:
            self._inform(text)
        else:
            self._warn(text)
