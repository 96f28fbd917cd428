# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the view costs a node, and whether view and page grow: printed and written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import groupby, pairwise
import json
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks.steadiness import fit, MIB, read_samples, Slope
from benchmarks.viewing import CLOSED, OPEN, open_in, view_file, ViewSample

PERCENTILES = (50, 95)
# The first minutes of a process, in which it takes what it then keeps.
FIRST_MINUTES = 5.0
MINUTE = 60.0


def tell_of_view(folder: Path) -> None:
    """Print and write what the samples say."""
    samples = read_samples(view_file(folder), ViewSample)
    figures = view_figures(samples)
    (folder / 'view.json').write_text(json.dumps(figures, indent=1) + '\n', encoding='utf-8')
    print(f'the page is looked at with {figures["onlooker"] or "nobody yet"}')
    print(
        '| part | stretch | page | frames | p50, ms | p95, ms | node | view | page, of a core '
        '| view, MiB | page, MiB |'
    )
    print('|---|---|---|---|---|---|---|---|---|---|---|')
    for row in figures['stretches']:
        print(
            f'| {row["part"]} | {row["stretch"]} | {row["state"]} | {row["frames"]} | '
            f'{row["p50_ms"]:.1f} | {row["p95_ms"]:.1f} | '
            f'{row["node"]:.2f} | {row["view"]:.3f} | {row["page"]:.2f} | '
            f'{row["view_mib"]:.1f} | {row["page_mib"]:.0f} |'
        )
    for percentile in PERCENTILES:
        ratio = figures[f'p{percentile}_open_by_closed']
        said = 'no two stretches yet' if ratio is None else _interval(ratio, '{:.3f}')
        print(f'latency (p{percentile}) with the page open by that with it closed: {said}')
    for who in ('node', 'view', 'page'):
        slope = figures['bytes_a_minute'][who]
        said = 'too few samples for a slope' if slope is None else _interval(slope, '{:.0f}')
        print(f'anonymous memory of the {who}, bytes a minute: {said}; {_ends(figures, who)}')


def view_figures(samples: Sequence[ViewSample]) -> dict:
    """Sum up samples of one or more parts."""
    stretches = [
        list(group)
        for _, group in groupby(
            (each for each in samples if each.state in (OPEN, CLOSED)),
            key=lambda each: (each.part, each.stretch),
        )
    ]
    return {
        'onlooker': next((each.onlooker for each in reversed(samples) if each.onlooker), ''),
        'minutes_open': sum(
            (of[-1].seconds - of[0].seconds) / MINUTE for of in stretches if of[0].state == OPEN
        ),
        'stretches': [_row(of) for of in stretches],
        **{
            f'p{percentile}_open_by_closed': _asdict(open_by_closed(stretches, percentile))
            for percentile in PERCENTILES
        },
        'bytes_a_minute': {
            who: _asdict(growth_a_minute(samples, who)) for who in ('node', 'view', 'page')
        },
        'mib_first_last': {
            who: [value / MIB for value in _first_last(samples, who)]
            for who in ('node', 'view', 'page')
        },
    }


def open_by_closed(stretches: Sequence[Sequence[ViewSample]], percentile: float) -> Slope | None:
    """
    Compare latencies of stretches with the page open and closed, neighbours with one another.

    The geometric mean of the ratios, and its 95 % interval by Student's t of their logarithms;
    infinite with a single pair, None without one.
    """
    late: dict[tuple[int, int], dict[bool, float]] = {}
    for of in stretches:
        latencies = [each for sample in of for each in sample.latencies_ms]
        if latencies:
            pair = late.setdefault((of[0].part, of[0].stretch // 2), {})
            pair[open_in(of[0].stretch)] = float(np.percentile(latencies, percentile))
    logs = [np.log(pair[True] / pair[False]) for pair in late.values() if len(pair) == 2]
    if not logs:
        return None
    reach = np.inf
    if len(logs) > 1:
        reach = stats.t.ppf(0.975, len(logs) - 1) * np.std(logs, ddof=1) / np.sqrt(len(logs))
    middle = np.mean(logs)
    return Slope(*(float(np.exp(each)) for each in (middle - reach, middle, middle + reach)))


def growth_a_minute(samples: Sequence[ViewSample], who: str) -> Slope | None:
    """
    Fit anonymous memory over minutes, without the first ones of each process.

    Of view and page it is that with the page open: closed, a page holds nothing.
    """
    held = _held(who)
    if who == 'page':
        processes = _openings(samples)
    else:
        processes = [list(group) for _, group in groupby(samples, key=lambda each: each.part)]
    parts = []
    for process in processes:
        began = process[0].seconds
        kept = [
            each
            for each in process
            if each.seconds >= began + _first_minutes(process) * MINUTE
            and (who == 'node' or each.state == OPEN)
        ]
        parts.append(([each.seconds / MINUTE for each in kept], [held(each) for each in kept]))
    return fit(parts)


def _first_minutes(process: Sequence[ViewSample]) -> float:
    """Leave out no more than a fifth of what there is of a short process."""
    return min(FIRST_MINUTES, (process[-1].seconds - process[0].seconds) / MINUTE / 5)


def _openings(samples: Sequence[ViewSample]) -> list[list[ViewSample]]:
    """Give the samples of each browser: what is between two that were closed."""
    groups = groupby(samples, key=lambda each: (each.part, each.state == OPEN))
    return [list(group) for (_, is_open), group in groups if is_open]


def _first_last(samples: Sequence[ViewSample], who: str) -> tuple[float, float]:
    held = [_held(who)(each) for each in samples if each.state == OPEN]
    return (held[0], held[-1]) if held else (0.0, 0.0)


def _held(who: str) -> Callable[[ViewSample], int]:
    return lambda sample: getattr(sample, f'{who}_bytes')


def _row(of: Sequence[ViewSample]) -> dict:
    latencies = [each for sample in of for each in sample.latencies_ms]
    middle, late = np.percentile(latencies, PERCENTILES) if latencies else (np.nan, np.nan)
    return {
        'part': of[0].part,
        'stretch': of[0].stretch,
        'state': of[0].state,
        'frames': len(latencies),
        'p50_ms': float(middle),
        'p95_ms': float(late),
        **{who: _cores(of, who) for who in ('node', 'view', 'page')},
        **{f'{who}_mib': _held(who)(of[-1]) / MIB for who in ('view', 'page')},
    }


def _cores(of: Sequence[ViewSample], who: str) -> float:
    """Return how much of a core one has had."""
    spent = [getattr(each, f'{who}_processor') for each in of]
    seconds = of[-1].seconds - of[0].seconds
    # Processes that end take what they spent with them.
    return sum(max(0.0, b - a) for a, b in pairwise(spent)) / seconds if seconds else 0.0


def _asdict(slope: Slope | None) -> dict | None:
    return None if slope is None else asdict(slope)


def _interval(slope: dict, form: str) -> str:
    low, value, high = (form.format(slope[name]) for name in ('low', 'value', 'high'))
    return f'{value} (95 % interval {low} to {high})'


def _ends(figures: dict, who: str) -> str:
    first, last = figures['mib_first_last'][who]
    return f'{first:.1f} MiB when first open, {last:.1f} MiB when last'
