# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What a browser leaves behind goes back to the system.

A socket that closes ends in exceptions, which hold the frames that sent to it, and these the
exceptions: some MiB for each page, until somebody collects what only holds itself.
"""

from __future__ import annotations

from collections import deque
import time

from xstreamvggt_ros.files.heap import give_back
from xstreamvggt_ros.view.pace import PATIENCE_S

# Until then somebody may wait for an answer of who has gone.
WAIT_S = PATIENCE_S + 1


class Leaving:
    """Notes who goes, and gives back what is left a while later."""

    def __init__(self) -> None:
        """Begin with nobody."""
        self._due: deque[float] = deque()

    def note(self) -> None:
        """Note that somebody has gone; from any thread."""
        self._due.append(time.monotonic() + WAIT_S)

    def tidy(self) -> None:
        """Give back what those left who have been gone for long; to be called again and again."""
        gone = False
        while self._due and self._due[0] <= time.monotonic():
            self._due.popleft()
            gone = True
        if gone:
            give_back()
