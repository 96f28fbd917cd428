# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the last seconds were like: by that a stream is judged, not by its newest frame."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from xstreamvggt_ros.intake.counters import Counts, STOPPED

# Seconds by which the present is judged.
RECENT = 10.0
# Dropped as it was meant to be: too many for the network, or not wanted.
INTENDED = frozenset({'superseded', 'max_rate', 'disabled', STOPPED})
# So many new streams in the last seconds do not come from anybody who asked for them.
MANY_STREAMS = 3


@dataclass(frozen=True)
class Recent:
    """
    What became of the frames of the last `seconds`.

    dropped: by reason. lost: sent and never come. streams: how many began.
    """

    seconds: float = 0.0
    processed: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0
    streams: int = 0

    @property
    def rate(self) -> float:
        """Frames processed in a second."""
        return self.processed / self.seconds if self.seconds else 0.0

    @property
    def refused(self) -> dict[str, int]:
        """What was dropped though it was meant to be used, by reason."""
        return {why: count for why, count in self.dropped.items() if why not in INTENDED}

    @property
    def failing(self) -> bool:
        """Whether nothing of what was meant to be used could be."""
        return bool(self.refused) and not self.processed

    def warnings(self) -> list[str]:
        """Say what of it is not as it should be."""
        found, span = [], f'in the last {self.seconds:.0f} s'
        refused = self.refused
        if refused:
            reasons = ', '.join(f'{why} {count}' for why, count in sorted(refused.items()))
            total = sum(refused.values())
            found.append(f'{total} of {total + self.processed} images dropped {span} ({reasons})')
        if self.lost:
            found.append(f'{self.lost} images lost in transport {span}')
        if self.streams >= MANY_STREAMS:
            found.append(f'{self.streams} new streams {span}: the log says why each began')
        return found


@dataclass(frozen=True)
class _Moment:
    at: float
    counts: Counts
    streams: int


class RecentCounts:
    """Remember counts for `seconds`, to tell what they have grown by."""

    def __init__(self, now: float, counts: Counts, streams: int, seconds: float = RECENT) -> None:
        """Begin with what has been counted already, at a time in seconds."""
        self._seconds = seconds
        self._moments: deque[_Moment] = deque([_Moment(now, counts, streams)])

    def note(self, now: float, counts: Counts, streams: int) -> Recent:
        """Take the counts as they are now; give what they have grown by in the last seconds."""
        self._moments.append(_Moment(now, counts, streams))
        # The last of those that are old enough is where the last seconds begin.
        while len(self._moments) > 2 and self._moments[1].at <= now - self._seconds:
            self._moments.popleft()
        before = self._moments[0]
        return Recent(
            now - before.at,
            counts.processed - before.counts.processed,
            dict(Counter(counts.dropped) - Counter(before.counts.dropped)),
            counts.lost - before.counts.lost,
            streams - before.streams,
        )
