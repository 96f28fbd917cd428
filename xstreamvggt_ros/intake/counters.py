# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What became of the frames, counted by whichever thread knows."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
import threading

# Latencies of this many of the newest frames are kept.
LATENCY_WINDOW = 256
# Of a frame that waited when the node was stopped: nothing was wrong with it, nor with the node.
STOPPED = 'stopped'


def total_dropped(dropped: Mapping[str, int]) -> int:
    """Count the frames that were dropped, of counts by reason, while the node was at work."""
    return sum(count for reason, count in dropped.items() if reason != STOPPED)


@dataclass(frozen=True)
class CameraCounts:
    """What became of the frames of one camera; dropped: by reason."""

    received: int = 0
    processed: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Counts:
    """
    What became of the frames so far.

    Each one received is processed, dropped (counted by reason) or still waiting. latencies: of
    the newest frames processed, seconds from arrival to publication, oldest first. cameras: the
    same of each camera from which one was received, by its index. lost: frames that were sent and
    never came, as far as anybody knows. remarks: what is worth a word, counted.
    """

    received: int
    processed: int
    dropped: dict[str, int]
    latencies: tuple[float, ...]
    cameras: Mapping[int, CameraCounts] = field(default_factory=dict)
    lost: int = 0
    remarks: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        """Put it in one line."""
        dropped = sum(self.dropped.values())
        reasons = ', '.join(f'{reason} {n}' for reason, n in sorted(self.dropped.items()))
        text = f'{self.received} images received, {self.processed} processed, {dropped} dropped'
        text = f'{text} ({reasons})' if reasons else text
        return f'{text}, {self.lost} lost in transport' if self.lost else text


class Counters:
    """Count the frames of every camera, by its index; safe to use from several threads."""

    def __init__(self) -> None:
        """Begin at zero."""
        self._lock = threading.Lock()
        self._received: Counter[int] = Counter()
        self._processed: Counter[int] = Counter()
        self._dropped: dict[int, Counter[str]] = defaultdict(Counter)
        self._lost: Counter[int] = Counter()
        self._remarks: Counter[str] = Counter()
        self._latencies: deque[float] = deque(maxlen=LATENCY_WINDOW)

    def receive(self, camera: int = 0) -> None:
        """Count an arrival."""
        with self._lock:
            self._received[camera] += 1

    def lose(self, count: int, camera: int = 0) -> None:
        """Count frames that were sent and will not come."""
        with self._lock:
            self._lost[camera] += count

    def remark(self, word: str) -> None:
        """Count what is worth a word, whether the frame was of use or not."""
        with self._lock:
            self._remarks[word] += 1

    def process(self, latency: float, camera: int = 0) -> None:
        """Count a frame that was published, `latency` seconds after it came."""
        with self._lock:
            self._processed[camera] += 1
            self._latencies.append(latency)

    def drop(self, reason: str, camera: int = 0) -> None:
        """Count a frame that was not, and why."""
        with self._lock:
            self._dropped[camera][reason] += 1

    def snapshot(self) -> Counts:
        """Return the counts as they are now."""
        with self._lock:
            return Counts(
                self._received.total(),
                self._processed.total(),
                dict(sum(self._dropped.values(), Counter())),
                tuple(self._latencies),
                {
                    camera: CameraCounts(
                        received, self._processed[camera], dict(self._dropped[camera])
                    )
                    for camera, received in self._received.items()
                },
                self._lost.total(),
                dict(self._remarks),
            )
