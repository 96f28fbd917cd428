# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What became of the frames, counted by whichever thread knows."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
import threading

# Latencies of this many of the newest frames are kept.
LATENCY_WINDOW = 256


@dataclass(frozen=True)
class Counts:
    """
    What became of the frames so far.

    Each one received is processed, dropped (counted by reason) or still waiting. latencies: of
    the newest frames processed, seconds from arrival to publication, oldest first.
    """

    received: int
    processed: int
    dropped: dict[str, int]
    latencies: tuple[float, ...]

    def __str__(self) -> str:
        """Put it in one line."""
        dropped = sum(self.dropped.values())
        reasons = ', '.join(f'{reason} {n}' for reason, n in sorted(self.dropped.items()))
        text = f'{self.received} images received, {self.processed} processed, {dropped} dropped'
        return f'{text} ({reasons})' if reasons else text


class Counters:
    """Count frames; safe to use from several threads."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._lock = threading.Lock()
        self._received = 0
        self._processed = 0
        self._dropped: Counter[str] = Counter()
        self._latencies: deque[float] = deque(maxlen=LATENCY_WINDOW)

    def receive(self) -> None:
        """Count an arrival."""
        with self._lock:
            self._received += 1

    def process(self, latency: float) -> None:
        """Count a frame that was published, `latency` seconds after it came."""
        with self._lock:
            self._processed += 1
            self._latencies.append(latency)

    def drop(self, reason: str) -> None:
        """Count a frame that was not, and why."""
        with self._lock:
            self._dropped[reason] += 1

    def snapshot(self) -> Counts:
        """Return the counts as they are now."""
        with self._lock:
            return Counts(
                self._received, self._processed, dict(self._dropped), tuple(self._latencies)
            )
