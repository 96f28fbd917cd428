# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Charts as SVG text: axes with units, lines and points; colours come from the page's style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
import math

import numpy as np

WIDTH, HEIGHT = 460, 280
LEFT, RIGHT, TOP, BOTTOM = 76, 16, 30, 46
TICKS = 5
# Lines of more points are thinned, keeping each stretch's least and greatest.
MOST_POINTS = 240
# Pixels that a letter of a point's name wants for itself.
LABEL_LETTER, LABEL_HEIGHT = 6.5, 13
MARKERS = {
    'circle': 'M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z',
    'square': 'M-4,-4h8v8h-8z',
    'triangle': 'M0,-5l5,9h-10z',
    'diamond': 'M0,-6l5,6l-5,6l-5,-6z',
}


@dataclass(frozen=True)
class Axis:
    """A direction of a chart: what it shows, its range, and whether it is logarithmic."""

    title: str
    low: float
    high: float
    logarithmic: bool = False

    @classmethod
    def over(
        cls, title: str, values: Sequence[float], logarithmic: bool = False, zero: bool = False
    ) -> Axis:
        """Cover the finite values with some room, from zero on where asked."""
        known = np.asarray(values, dtype=np.float64)
        known = known[np.isfinite(known)]
        if logarithmic:
            known = known[known > 0]
        if not len(known):
            return cls(title, 1.0 if logarithmic else 0.0, 10.0 if logarithmic else 1.0)
        low, high = float(known.min()), float(known.max())
        if logarithmic:
            # At least a third of a decade, so that near values are not torn apart.
            room = max(1.15, (2.2 / (high / low)) ** 0.5)
            return cls(title, low / room, high * room, True)
        if zero:
            low = min(low, 0.0)
        room = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
        return cls(title, low if zero and low == 0 else low - room, high + room)

    def share(self, value: float) -> float:
        """Say where a value is, from 0 to 1."""
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Choose round values on the axis."""
        if self.logarithmic:
            return _log_ticks(self.low, self.high)
        step = _round_step((self.high - self.low) / TICKS)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [step * index for index in range(first, last + 1)]


@dataclass(frozen=True)
class Series:
    """Values to draw: `tone` is a colour's number; notes, labels and pale are of points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    tone: int = 0
    dashed: bool = False
    marker: str = ''
    notes: Sequence[str] = field(default=())
    labels: Sequence[str] = field(default=())
    pale: Sequence[bool] = field(default=())


def chart(
    title: str,
    x: Axis,
    y: Axis,
    series: Sequence[Series],
    equal: bool = False,
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> str:
    """Draw series as lines, or as points where they have a marker; `equal`: one scale for both."""
    frame = _Frame(x, y, *size, equal)
    parts = [
        f'<svg class="chart" viewBox="0 0 {size[0]} {size[1]}" role="img" '
        f'aria-label="{escape(title, quote=True)}">',
        f'<text class="title" x="{LEFT}" y="16">{escape(title)}</text>',
        *frame.axes(),
    ]
    for each in series:
        parts += frame.points(each) if each.marker else frame.line(each)
    return ''.join([*parts, '</svg>'])


class _Frame:
    """The rectangle that values are drawn in."""

    def __init__(self, x: Axis, y: Axis, width: int, height: int, equal: bool) -> None:
        self.width, self.height = width - LEFT - RIGHT, height - TOP - BOTTOM
        self._named: list[tuple[float, float, float]] = []
        self.x, self.y = (_equal(x, y, self.width, self.height)) if equal else (x, y)

    def place(self, x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + self.width * self.x.share(x),
            TOP + self.height * (1 - self.y.share(y)),
        )

    def axes(self) -> list[str]:
        right, bottom = LEFT + self.width, TOP + self.height
        parts = [f'<rect class="plot" x="{LEFT}" y="{TOP}" width="{self.width}" '
                 f'height="{self.height}"/>']  # fmt: skip
        for tick, text in _texts(self.x.ticks()):
            at = LEFT + self.width * self.x.share(tick)
            parts.append(f'<path class="grid" d="M{at:.1f},{TOP}V{bottom}"/>')
            parts.append(f'<text class="tick" x="{at:.1f}" y="{bottom + 15}" '
                         f'text-anchor="middle">{text}</text>')  # fmt: skip
        for tick, text in _texts(self.y.ticks()):
            at = TOP + self.height * (1 - self.y.share(tick))
            parts.append(f'<path class="grid" d="M{LEFT},{at:.1f}H{right}"/>')
            parts.append(f'<text class="tick" x="{LEFT - 6}" y="{at + 4:.1f}" '
                         f'text-anchor="end">{text}</text>')  # fmt: skip
        middle = TOP + self.height / 2
        return [
            *parts,
            f'<text class="axis" x="{LEFT + self.width / 2}" y="{bottom + 34}" '
            f'text-anchor="middle">{escape(self.x.title)}</text>',
            f'<text class="axis" transform="translate(14,{middle}) rotate(-90)" '
            f'text-anchor="middle">{escape(self.y.title)}</text>',
        ]

    def line(self, series: Series) -> list[str]:
        kept = _thinned(np.asarray(series.y, dtype=np.float64))
        path, pen = [], 'M'
        for index in kept:
            x, y = series.x[index], series.y[index]
            if not (self._drawable(self.x, x) and self._drawable(self.y, y)):
                pen = 'M'
                continue
            path.append('{}{:.1f},{:.1f}'.format(pen, *self.place(x, y)))
            pen = 'L'
        dashed = ' dashed' if series.dashed else ''
        return [
            f'<path class="line tone{series.tone}{dashed}" d="{"".join(path)}">'
            f'<title>{escape(series.name)}</title></path>'
        ]

    def points(self, series: Series) -> list[str]:
        parts = []
        for index, (x, y) in enumerate(zip(series.x, series.y, strict=True)):
            if not (self._drawable(self.x, x) and self._drawable(self.y, y)):
                continue
            note = series.notes[index] if index < len(series.notes) else series.name
            pale = ' pale' if index < len(series.pale) and series.pale[index] else ''
            left, top = self.place(x, y)
            parts.append(
                f'<path class="mark tone{series.tone}{pale}" d="{MARKERS[series.marker]}" '
                f'transform="translate({left:.1f},{top:.1f})"><title>{escape(note)}</title></path>'
            )
            if index < len(series.labels):
                parts += self._label(series.labels[index], left, top)
        return parts

    def _label(self, text: str, left: float, top: float) -> list[str]:
        """Name a point, unless another's name stands there; its note says it all the same."""
        width = LABEL_LETTER * len(text) + 16
        taken = any(
            abs(left - x) < max(width, other) and abs(top - y) < LABEL_HEIGHT
            for x, y, other in self._named
        )
        if not text or taken:
            return []
        self._named.append((left, top, width))
        # Labels stay inside: on the left of points at the right edge.
        near_edge = left > LEFT + 0.75 * self.width
        anchor, shift = ('end', -8) if near_edge else ('start', 8)
        return [
            f'<text class="label" x="{left + shift:.1f}" y="{top + 4:.1f}" '
            f'text-anchor="{anchor}">{escape(text)}</text>'
        ]

    @staticmethod
    def _drawable(axis: Axis, value: float) -> bool:
        return math.isfinite(value) and (value > 0 or not axis.logarithmic)


def _equal(x: Axis, y: Axis, width: float, height: float) -> tuple[Axis, Axis]:
    """Widen one of the axes so that a metre is as long on both."""
    unit = max((x.high - x.low) / width, (y.high - y.low) / height)
    widened = []
    for axis, length in ((x, width), (y, height)):
        middle, half = (axis.low + axis.high) / 2, unit * length / 2
        widened.append(Axis(axis.title, middle - half, middle + half))
    return widened[0], widened[1]


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= least * 0.999)


def _log_ticks(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        ticks = [f * 10.0**p for p in powers for f in factors if low <= f * 10.0**p <= high]
        if len(ticks) >= 3:
            return ticks[:: -(-len(ticks) // 8)]
    return ticks


def _texts(ticks: list[float]) -> list[tuple[float, str]]:
    """Write ticks with as many digits as tell them apart."""
    steps = [abs(after - before) for before, after in pairwise(ticks)]
    for digits in range(5):
        texts = [f'{tick + 0.0:,.{digits}f}' for tick in ticks]
        values = [float(text.replace(',', '')) for text in texts]
        off = max(abs(value - tick) for value, tick in zip(values, ticks, strict=True))
        if off <= 0.02 * min(steps, default=1.0):
            return list(zip(ticks, texts, strict=True))
    return [(tick, f'{tick:.6g}') for tick in ticks]


def _thinned(values: np.ndarray) -> list[int]:
    if len(values) <= MOST_POINTS:
        return list(range(len(values)))
    kept = {0, len(values) - 1}
    for part in np.array_split(np.arange(len(values)), MOST_POINTS // 2):
        known = part[np.isfinite(values[part])]
        if len(known):
            kept |= {int(known[values[known].argmin()]), int(known[values[known].argmax()])}
        else:
            # A hole stays a hole.
            kept.add(int(part[0]))
    return sorted(kept)
