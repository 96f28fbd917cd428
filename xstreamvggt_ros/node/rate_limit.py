# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Thin out a stream of stamps to a rate."""

from __future__ import annotations

# Share of a period by which a frame may be early, since cameras jitter.
SLACK = 0.1


class RateLimit:
    """Admit stamps at no more than a rate on average; time that goes back begins anew."""

    def __init__(self) -> None:
        """Admit the first."""
        self._due: float | None = None

    def admits(self, seconds: float, rate: float) -> bool:
        """Say whether the frame of that time is to be taken, at `rate` per second; 0 is all."""
        if not rate:
            return True
        period = 1 / rate
        if self._due is None or seconds < self._due - 2 * period:
            self._due = seconds
        if seconds < self._due - SLACK * period:
            return False
        # Behind by more than a period, the frames missed are not made up for.
        self._due = max(self._due, seconds - period) + period
        return True
