# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of parts of a file that overlap in time, brought into order."""

from __future__ import annotations

from collections.abc import Iterator
import heapq

# A message takes some hundred bytes, however small it is.
MOST_WAITING = 2**21
MOST_WAITING_BYTES = 2**31


class Waiting:
    """
    Messages that wait until none can come any more that is earlier.

    Beyond what a memory is for they go all the same, and `crowded` says so: only parts that were
    made up all begin before the others end.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.crowded = False
        self._heap: list[tuple[int, int, int, bytes]] = []
        self._order = self._bytes = 0

    def put(self, number: int, stamp_ns: int, data: bytes) -> None:
        """Have a message wait."""
        heapq.heappush(self._heap, (stamp_ns, self._order, number, data))
        self._order += 1
        self._bytes += len(data)

    def before(self, stamp_ns: float) -> Iterator[tuple[int, int, bytes]]:
        """Give number, time and data of those that are earlier, in order of time."""
        while self._heap and (self._heap[0][0] < stamp_ns or self._full):
            stamp, _, number, data = heapq.heappop(self._heap)
            self._bytes -= len(data)
            self.crowded = self.crowded or stamp >= stamp_ns
            yield number, stamp, data

    @property
    def _full(self) -> bool:
        return len(self._heap) > MOST_WAITING or self._bytes > MOST_WAITING_BYTES
