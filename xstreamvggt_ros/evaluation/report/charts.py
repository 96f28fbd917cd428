# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which charts the report has, and of what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math

import numpy as np

from xstreamvggt_ros.evaluation.record import Record
from xstreamvggt_ros.evaluation.report.figures import Figure, FIGURES
from xstreamvggt_ros.evaluation.report.model import Dataset, disturbed, Row, Timetable
from xstreamvggt_ros.evaluation.report.svg import Axis, chart, MARKERS, Series
from xstreamvggt_ros.evaluation.report.views import Trajectories

ACCURACIES = ('depth_median_abs_rel', 'ate_rmse', 'accuracy_mean', 'difference_depth')
# Whose title says too little where its table is not above it.
NAMES = {'difference_depth': 'Difference of depth'}
LATENCY = 'latency_median_ms'
COSTS = (('cache_mib', 'cache, MiB (log)'), (LATENCY, 'median latency, ms (log)'))
CURVES = (
    ('latency_ms', 'Latency', 'ms'),
    ('cache_mib', 'Cache', 'MiB'),
    ('resident_mib', 'Memory of the process', 'MiB'),
    ('device_mib', 'Memory of the device', 'MiB'),
    ('abs_rel', 'Error of depth', 'AbsRel'),
    ('position_error_m', 'Error of position', 'm'),
)
# Points of so many configurations are named where they stand.
MOST_NAMED = 10
TONES = 8


@dataclass(frozen=True)
class Legend:
    """A series' name, its colour's number and its marker's path, '' for a line."""

    name: str
    tone: int
    marker: str = ''
    dashed: bool = False


def pareto(dataset: Dataset, times: Timetable) -> tuple[list[str], list[Legend]]:
    """
    Draw accuracy against bytes and latency; configurations share a colour by their bits.

    Latencies that are not of the configuration alone are pale; times: of the whole report.
    """
    groups: dict[str, list[Row]] = {}
    for row in dataset.rows:
        groups.setdefault(_storage(row), []).append(row)
    markers = list(MARKERS)
    named = len(dataset.rows) <= MOST_NAMED
    why = {row: disturbed(row, times) for row in dataset.rows}
    charts = []
    for accuracy in ACCURACIES:
        figure = FIGURES[accuracy]
        if not any(math.isfinite(row.mean(accuracy)) for row in dataset.rows):
            continue
        for cost, title in COSTS:
            series = [
                _front(dataset.rows, cost, figure),
                *(
                    Series(
                        name,
                        [row.mean(cost) for row in rows],
                        [_shown(row, figure) for row in rows],
                        index % TONES,
                        marker=markers[index % len(markers)],
                        notes=[_note(row, cost, accuracy, why[row]) for row in rows],
                        labels=[_short(row) for row in rows] if named else (),
                        pale=[cost == LATENCY and bool(why[row]) for row in rows],
                    )
                    for index, (name, rows) in enumerate(groups.items())
                ),
            ]
            x = Axis.over(title, [row.mean(cost) for row in dataset.rows], logarithmic=True)
            unit = f', {figure.unit}' if figure.unit else ''
            y = Axis.over(
                f'{NAMES.get(accuracy, figure.title)}{unit} {figure.arrow}',
                [_shown(row, figure) for row in dataset.rows],
            )
            charts.append(
                chart(
                    f'{NAMES.get(accuracy, figure.title)} against {title.split(",")[0]}',
                    x,
                    y,
                    series,
                )
            )
    legend = [
        Legend(name, index % TONES, MARKERS[markers[index % len(markers)]])
        for index, name in enumerate(groups)
    ]
    return charts, [*legend, Legend('best for the cost', TONES, dashed=True)]


def curves(runs: Sequence[Record]) -> list[str]:
    """Draw what was measured in each frame; a run's colour is its place in the list."""
    charts = []
    for name, title, unit in CURVES:
        values = [_values(run, name) for run in runs]
        if not any(np.isfinite(each).any() for each in values):
            continue
        series = [
            Series(run.info['label'], range(len(each)), each, index, index == 0)
            for index, (run, each) in enumerate(zip(runs, values, strict=True))
        ]
        x = Axis('frame', 0, max(1, *(len(each) - 1 for each in values)))
        joined = np.concatenate(values)
        y = Axis.over(unit, joined, zero=name not in ('resident_mib', 'device_mib'))
        charts.append(chart(f'{title} per frame', x, y, series))
    return charts


def trajectories(paths: Trajectories) -> list[str]:
    """Draw the aligned paths from above and from the side of the first true camera."""
    return [
        _path_chart('From above', paths, 'right, m', 'ahead, m', lambda p: (p[:, 0], p[:, 2])),
        _path_chart('From the side', paths, 'ahead, m', 'up, m', lambda p: (p[:, 2], -p[:, 1])),
    ]


def legend(runs: Sequence[Record], truth: bool = False) -> list[Legend]:
    """Name the lines of `curves` and `trajectories`."""
    lines = [Legend(run.info['label'], index, dashed=index == 0) for index, run in enumerate(runs)]
    return [*([Legend('truth', TONES)] if truth else []), *lines]


def _path_chart(
    title: str,
    paths: Trajectories,
    across: str,
    up: str,
    project: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> str:
    lines = [('truth', paths.truth, TONES, False)]
    lines += [
        (name, path, index, index == 0) for index, (name, path) in enumerate(paths.estimates)
    ]
    series = [
        Series(name, *(part.tolist() for part in project(path)), tone, dashed)
        for name, path, tone, dashed in lines
    ]
    x = Axis.over(across, np.concatenate([np.asarray(each.x) for each in series]))
    y = Axis.over(up, np.concatenate([np.asarray(each.y) for each in series]))
    return chart(title, x, y, series, equal=True, size=(460, 360))


def _shown(row: Row, figure: Figure) -> float:
    """Give a row's mean in the figure's unit."""
    return figure.factor * row.mean(figure.name)


def _front(rows: Sequence[Row], cost: str, accuracy: Figure) -> Series:
    """Join the rows that no other beats in both; accuracies here are errors."""
    points = sorted((row.mean(cost), _shown(row, accuracy)) for row in rows)
    front: list[tuple[float, float]] = []
    for x, y in points:
        if math.isfinite(x) and math.isfinite(y) and (not front or y < front[-1][1]):
            front.append((x, y))
    return Series(
        'best for the cost', [x for x, _ in front], [y for _, y in front], TONES, dashed=True
    )


def _storage(row: Row) -> str:
    keys, values = row.config.stored_bits
    bits = f'{keys} bit' if keys == values else f'{keys}/{values} bit'
    return 'reference' if row.config.is_reference else bits


def _short(row: Row) -> str:
    if row.config.is_reference:
        return ''
    return 'unbounded' if row.config.budget == 'none' else row.config.budget


def _note(row: Row, cost: str, accuracy: str, why: str) -> str:
    shown = (
        f'{FIGURES[name].title} {FIGURES[name].show(row.mean(name))} {FIGURES[name].unit}'
        for name in (cost, accuracy)
    )
    text = f'{row.label}: {", ".join(shown)}'
    return f'{text} ({why})' if why and cost == LATENCY else text


def _values(run: Record, name: str) -> np.ndarray:
    curve = run.info['curves'].get(name) or []
    return np.array([math.nan if value is None else value for value in curve])
