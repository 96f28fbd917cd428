# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many images are on their way through the node."""

from collections import deque


class Pacer:
    """
    Count the images that were published and not answered yet.

    The node works in order, so that an answer settles its image and all before it. What the node
    drops it never answers; its counters on /diagnostics settle those, though not by name.
    """

    def __init__(self):
        """Start with nothing on its way."""
        self._waiting = deque()
        self._published = 0
        self._counted = 0

    def publish(self, stamp_ns: int) -> None:
        """Note that an image was sent."""
        self._waiting.append(stamp_ns)
        self._published += 1

    def answer(self, stamp_ns: int) -> None:
        """Note that an image is answered; one that is not on its way changes nothing."""
        if stamp_ns in self._waiting:
            while self._waiting.popleft() != stamp_ns:
                pass

    def count(self, settled: int) -> None:
        """Note how many images the node says it has processed or dropped, since it started."""
        self._counted = settled

    @property
    def in_flight(self) -> int:
        """Give how many images are neither answered nor dropped."""
        return max(0, min(len(self._waiting), self._published - self._counted))
