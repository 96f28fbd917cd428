# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was found to be missing or damaged, in sentences that name it."""

from __future__ import annotations

from collections.abc import Sequence

# Files of one kind that are missing are counted, and so many of them named.
NAMED = 5


class Problems:
    """Sentences in the order of finding, each once."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[str, None] = {}

    def add(self, text: str) -> None:
        """Take down one."""
        self._found.setdefault(text)

    def add_missing(self, what: str, names: Sequence[str], total: int) -> None:
        """Take down that `names` out of `total` frames lack something; nothing where none do."""
        if names:
            more = f' and {len(names) - NAMED} more' if len(names) > NAMED else ''
            listed = ', '.join(names[:NAMED])
            self.add(f'{what} for {len(names)} of {total} images: {listed}{more}')

    def add_lines(self, texts: Sequence[str]) -> None:
        """Take down lines of a file that are left out: the first in full, and how many."""
        if texts:
            more = f' (and {len(texts) - 1} more lines)' if len(texts) > 1 else ''
            self.add(texts[0] + more)

    def lines(self) -> tuple[str, ...]:
        """Give them all."""
        return tuple(self._found)
