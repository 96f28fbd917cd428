# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One contender at one frame: what was measured, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.speed.parts import PARTS

MIB, GIGA = 2**20, 1e9
BASELINES = ('unbounded', 'naive')


@dataclass(frozen=True)
class Row:
    """
    A contender at a frame: seconds of every round, and by part; bytes; operations; the floor.

    A row with a note was not measured, and the note says why.
    """

    frame: int
    contender: str
    dtype: str
    note: str = ''
    seconds: tuple[float, ...] = ()
    parts: dict[str, float] = field(default_factory=dict)
    operations: dict[str, float] = field(default_factory=dict)
    moved: int = 0
    floor: float = 0.0
    held: int = 0
    scratch: int = 0
    transient: int | None = None

    @property
    def beyond_weights(self) -> int:
        """The most bytes that a step takes, the weights apart."""
        return self.held + self.scratch + (self.transient or 0)


def ratios(row: Row, baseline: Row) -> tuple[float, float, float]:
    """Return quartiles 1 to 3 of how much faster row is, each round by itself."""
    each = np.divide(baseline.seconds, row.seconds)
    low, middle, high = np.percentile(each, (25, 50, 75))
    return float(low), float(middle), float(high)


def parts_table(rows: Sequence[Row]) -> str:
    """Set the median milliseconds of every part as a table."""
    shown = [part for part in PARTS if any(part in row.parts for row in rows)]
    lines = [
        f'| frame | contender | {" | ".join(shown)} | all | floor | share of the peak |',
        '|---' * (len(shown) + 5) + '|',
    ]
    for row in rows:
        if row.note:
            lines.append(f'| {row.frame} | {row.contender} | {row.note} |')
            continue
        middle = float(np.median(row.seconds))
        figures = [f'{1e3 * row.parts.get(part, 0.0):.1f}' for part in shown]
        figures += [f'{1e3 * middle:.1f}', f'{1e3 * row.floor:.1f}', f'{row.floor / middle:.0%}']
        lines.append(f'| {row.frame} | {row.contender} | {" | ".join(figures)} |')
    return '\n'.join(lines)


def costs_table(rows: Sequence[Row]) -> str:
    """Set operations, bytes and ratios to the baselines of the same frame as a table."""
    lines = [
        '| frame | contender | GFLOP | bytes moved, MiB | memory held, MiB | most beyond the '
        'weights, MiB | faster than unbounded | than naive | less memory than unbounded |',
        '|---' * 9 + '|',
    ]
    for row in rows:
        if row.note:
            continue
        peers = {each.contender: each for each in rows if each.frame == row.frame and each.seconds}
        cells = [
            f'{sum(row.operations.values()) / GIGA:.0f}',
            f'{row.moved / MIB:.0f}',
            f'{row.held / MIB:.1f}',
            f'{row.beyond_weights / MIB:.0f}',
            *(_ratio(row, peers.get(name)) for name in BASELINES),
            _memory_ratio(row, peers.get('unbounded')),
        ]
        lines.append(f'| {row.frame} | {row.contender} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def _ratio(row: Row, baseline: Row | None) -> str:
    if baseline is None or baseline is row:
        return ''
    low, middle, high = ratios(row, baseline)
    return f'{middle:.2f} ({low:.2f} to {high:.2f})'


def _memory_ratio(row: Row, baseline: Row | None) -> str:
    if baseline is None or baseline is row:
        return ''
    return f'{baseline.beyond_weights / row.beyond_weights:.1f}'
