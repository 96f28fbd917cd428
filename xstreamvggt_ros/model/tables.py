# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tables that follow from the size of the images alone, made once and kept beyond the frame."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar

T = TypeVar('T')
# Streams of one network may be of several sizes.
MOST_KEPT = 4


class KeptTables:
    """
    Tables by what they were made for, of the MOST_KEPT keys that were asked for last.

    A captured step reads them where they lay: who captures it holds what `kept` gives.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._made: OrderedDict[Hashable, object] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what was made for that key, or make it now."""
        # Threads that ask at once may make a table twice, which does no harm.
        made = self._made.pop(key, None)
        if made is None:
            made = make()
        self._made[key] = made
        while len(self._made) > MOST_KEPT:
            self._made.popitem(last=False)
        return made

    def kept(self) -> list[object]:
        """Return all that there are."""
        return list(self._made.values())
