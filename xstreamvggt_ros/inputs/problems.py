# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What was found to be missing or damaged, in sentences that name it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

# Of one kind so many are named, and the others counted.
NAMED = 5


class Problems:
    """Sentences in the order of finding, each once."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[str, str] = {}

    def add(self, text: str, kind: str = '') -> None:
        """Take down one; of those of a `kind` a few are given, and how many more there are."""
        self._found.setdefault(text, kind)

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
        lines, counts = [], Counter()
        for text, kind in self._found.items():
            counts[kind] += bool(kind)
            if counts[kind] <= NAMED:
                lines.append(text)
        more = {kind: count - NAMED for kind, count in counts.items() if count > NAMED}
        return (*lines, *(f'{kind}: {count} more like these' for kind, count in more.items()))
