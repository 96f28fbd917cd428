# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings compared on the same scenes: medians of the changes, and intervals by bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
import statistics

import numpy as np

from benchmarks.scenes import HIGHER_IS_BETTER, METRICS, OF_PATHS

RESAMPLES = 2_000
# Of fewer values the median may well be outside all of them: in 2 of 2^n cases, 6 % of five.
LEAST = 6


def relative_changes(rows: list[dict], reference: str) -> dict[str, dict[str, np.ndarray]]:
    """
    Give, per setting and metric, how much worse (in per cent) each scene came out.

    Scenes without that metric are left out, and those that went wrong where nothing was.
    """
    base = {row['seed']: row for row in rows if row['setting'] == reference}
    changes: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        for metric in METRICS:
            worse = _percent(row[metric], base[row['seed']][metric])
            sign = -1 if metric in HIGHER_IS_BETTER else 1
            changed = changes.setdefault(row['setting'], {}).setdefault(metric, [])
            if np.isfinite(worse):
                changed.append(sign * worse)
    return {
        setting: {metric: np.array(values) for metric, values in by_metric.items()}
        for setting, by_metric in changes.items()
    }


def _percent(after: float, before: float) -> float:
    if after == before:
        return 0.0
    return (after - before) / before * 100 if before else np.nan


def interval(values: np.ndarray, seed: int = 0) -> tuple[float, float, float]:
    """
    Return the median of values (N,) and its 95 % interval by bootstrap.

    The interval is NaN of fewer than LEAST values, and the median without any.
    """
    if len(values) < LEAST:
        return median(values), np.nan, np.nan
    rng = np.random.default_rng(seed)
    drawn = rng.choice(values, (RESAMPLES, len(values)))
    low, high = np.percentile(np.median(drawn, axis=1), [2.5, 97.5])
    return float(np.median(values)), float(low), float(high)


def table(
    rows: list[dict],
    reference: str,
    columns: Mapping[str, Callable[[list[dict]], str]] | None = None,
    heading: str = 'cache',
) -> str:
    """
    Write medians of the reference, then what the others lose, as Markdown.

    `columns` come before the metrics: by their headings, what is said of a setting's rows.
    `heading` is that of the settings.
    """
    columns = columns or {}
    own = [row for row in rows if row['setting'] == reference]
    moving = sum(np.isfinite(row[OF_PATHS[0]]) for row in own)
    headings = [heading, *columns, *METRICS]
    lines = [
        f'{len(own)} scenes ({moving} of them with a path), {reference}: '
        + ', '.join(f'{m} {median(row[m] for row in own):.4g}' for m in METRICS),
        '',
        'Worse than that, in per cent of it (below 0: better):',
        '',
        '| ' + ' | '.join(headings) + ' |',
        '|---' * len(headings) + '|',
    ]
    for setting, by_metric in relative_changes(rows, reference).items():
        if setting != reference:
            of_setting = [row for row in rows if row['setting'] == setting]
            cells = [setting, *(tell(of_setting) for tell in columns.values())]
            cells += [cell(by_metric[metric]) for metric in METRICS]
            lines.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(lines)


def cell(values: np.ndarray, form: str = '+.1f') -> str:
    """Write the median of values (N,) and its interval, each in that form."""
    middle, low, high = interval(values)
    if np.isnan(middle):
        return '–'
    between = f'n = {len(values)}' if np.isnan(low) else f'{low:{form}}, {high:{form}}'
    return f'{middle:{form}} [{between}]'


def median(values: Iterable[float]) -> float:
    """Return the median of those that are finite, NaN where none is."""
    return statistics.median([value for value in values if np.isfinite(value)] or [np.nan])
