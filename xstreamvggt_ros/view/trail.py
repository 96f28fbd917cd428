# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The camera's path, told whole now and then and pose by pose in between.

A node that is asked for ~/path builds a message of a thousand poses every second, which costs its
frames more than all else that is shown. ~/pose says the same of every frame at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
import time

import numpy as np

# Between two times of asking: a scale that settles moves what was before.
ASK_S = 30.0
MOST_POSES = 4096
# What is drawn anew at each frame would be sent to the browser whole.
SHOW_S = 1.0


class Trail:
    """Puts a path together of whole paths and single poses; stamps are those of their headers."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing; `now` gives seconds."""
        self._now = now
        self.forget()

    def forget(self) -> None:
        """Begin another stream."""
        self._whole = np.zeros((0, 3), np.float32)
        self._since: deque[tuple[int, np.ndarray]] = deque(maxlen=MOST_POSES)
        self._asked_with: int | None = None
        self._told_at = self._shown_at = -np.inf
        self._changed = False

    @property
    def asks(self) -> bool:
        """Whether it is time for a whole path."""
        return self._now() - self._told_at > ASK_S

    def add_pose(self, stamp_ns: int, position: np.ndarray) -> None:
        """Take where the camera is now."""
        if self.asks and self._asked_with is None:
            self._asked_with = stamp_ns
        self._since.append((stamp_ns, np.asarray(position, np.float32)))
        self._changed = True

    def add_path(self, stamp_ns: int, positions: np.ndarray) -> None:
        """Take a whole path (N, 3) up to a stamp; an old one that was kept is asked for anew."""
        self._whole = positions
        later = [each for each in self._since if each[0] > stamp_ns]
        self._since = deque(later, MOST_POSES)
        self._changed = True
        if self._asked_with is not None and stamp_ns >= self._asked_with:
            self._told_at, self._asked_with = self._now(), None

    def news(self) -> np.ndarray | None:
        """Return the newest positions (N, 3) where it is time to show them anew, else None."""
        if not self._changed or self._now() - self._shown_at < SHOW_S:
            return None
        self._changed, self._shown_at = False, self._now()
        later = np.array([position for _, position in self._since], np.float32).reshape(-1, 3)
        return np.concatenate([self._whole, later])[-MOST_POSES:]
