# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether something stays as it is over hours: slopes with intervals, early and late latencies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
import json
from pathlib import Path
from typing import TypeVar

import numpy as np
from scipy import stats

from xstreamvggt_ros.evaluation.report.svg import Axis, chart, Series

MIB = 2**20
# Means of so many stretches of a part are taken for independent, which single samples are not:
# an allocator grows in steps.
STRETCHES = 10
TENTHS = 10
SECOND, LAST = 1, 9

T = TypeVar('T')


@dataclass(frozen=True)
class Sample:
    """
    What was seen of a process at one time.

    part: counts the processes that were watched one after the other. seconds and frames are since
    its first image. Bytes are of anonymous and of shared memory. latencies: milliseconds of the
    frames since the sample before. load: the machine's, of the last minute. processor_seconds:
    what the process has had of the processors, to which others add little.
    """

    part: int
    seconds: float
    frames: int
    anonymous_bytes: int
    shared_bytes: int
    file_descriptors: int
    latencies_ms: tuple[float, ...]
    load: float
    processor_seconds: float = float('nan')


@dataclass(frozen=True)
class Slope:
    """A slope between the ends of its 95 % interval."""

    low: float
    value: float
    high: float


def read_samples(path: Path, kind: Callable[..., T] = Sample) -> list[T]:
    """Read samples of a kind, one a line; a last line that was cut short is left out."""
    samples = []
    for line in path.read_text(encoding='utf-8').splitlines() if path.exists() else ():
        try:
            values = json.loads(line)
        except ValueError:
            continue
        samples.append(kind(**{**values, 'latencies_ms': tuple(values['latencies_ms'])}))
    return samples


def append_sample(path: Path, sample: object) -> None:
    """Add a line."""
    with path.open('a', encoding='utf-8') as file:
        file.write(json.dumps(asdict(sample)) + '\n')


def settled_parts(samples: Iterable[Sample], settle: int) -> list[list[Sample]]:
    """Give each part's samples from the frame `settle` on, where there are enough of them."""
    parts = [
        [each for each in group if each.frames >= settle]
        for _, group in groupby(samples, key=lambda sample: sample.part)
    ]
    return [part for part in parts if len(part) >= 2 * STRETCHES]


def growth(parts: Sequence[Sequence[Sample]]) -> Slope | None:
    """
    Fit anonymous memory over frames: one slope of all parts, each with a level of its own.

    Bytes a frame; None without a part of enough samples.
    """
    return fit(
        [
            ([each.frames for each in part], [each.anonymous_bytes for each in part])
            for part in parts
        ]
    )


def fit(parts: Iterable[tuple[Sequence[float], Sequence[float]]]) -> Slope | None:
    """
    Fit values over places, (x, y) of each part: one slope of all, each with a level of its own.

    None without a part of enough values. The interval is that of a straight line through means of
    ten stretches of each part (batch means).
    """
    x, y = [], []
    for places, values in parts:
        if len(places) < 2 * STRETCHES:
            continue
        at, held = (
            np.array([np.mean(each) for each in np.array_split(axis, STRETCHES)])
            for axis in (places, values)
        )
        x.append(at - at.mean())
        y.append(held - held.mean())
    if not x:
        return None
    x, y = np.concatenate(x), np.concatenate(y)
    value = float(x @ y / (x @ x))
    freedom = len(x) - len(x) // STRETCHES - 1
    error = np.sqrt(((y - value * x) ** 2).sum() / freedom / (x @ x))
    reach = float(stats.t.ppf(0.975, freedom) * error)
    return Slope(value - reach, value, value + reach)


def late_by_tenths(samples: Sequence[Sample]) -> list[float]:
    """Give the 95th percentile of latency in each tenth of the frames; none of too few frames."""
    latencies = [each for sample in samples for each in sample.latencies_ms]
    if len(latencies) < 10 * TENTHS:
        return []
    return [float(np.percentile(tenth, 95)) for tenth in np.array_split(latencies, TENTHS)]


def processor_late_by_second_tenth(part: Sequence[Sample]) -> float | None:
    """Give a part's processor time a frame in the last tenth of its frames by the second's."""
    frames = [each.frames for each in part]
    if len(part) < 2 * TENTHS or np.isnan([each.processor_seconds for each in part]).any():
        return None
    edges = np.linspace(frames[0], frames[-1], TENTHS + 1)
    spent = np.diff(np.interp(edges, frames, [each.processor_seconds for each in part]))
    return float(spent[LAST] / spent[SECOND])


def by_minute(samples: Sequence[Sample]) -> list[dict[str, float]]:
    """Sum up minute by minute: memory, file descriptors, median and late latency, load."""
    rows = []
    for (part, minute), group in groupby(samples, key=lambda s: (s.part, int(s.seconds // 60))):
        of = list(group)
        latencies = [each for sample in of for each in sample.latencies_ms]
        frames = of[-1].frames - of[0].frames
        spent = of[-1].processor_seconds - of[0].processor_seconds
        middle, late = np.percentile(latencies, (50, 95)) if latencies else (np.nan, np.nan)
        rows.append(
            {
                'part': part,
                'minute': minute,
                'frames': of[-1].frames,
                'anonymous_mib': of[-1].anonymous_bytes / MIB,
                'shared_mib': of[-1].shared_bytes / MIB,
                'file_descriptors': of[-1].file_descriptors,
                'latency_p50_ms': float(middle),
                'latency_p95_ms': float(late),
                'processor_ms': 1e3 * spent / frames if frames else float('nan'),
                'load': float(np.mean([sample.load for sample in of])),
            }
        )
    return rows


def plot(samples: Sequence[Sample], title: str) -> str:
    """Draw anonymous memory over frames, a line a part, as SVG."""
    series = [
        Series(
            f'part {part}',
            [each.frames for each in of],
            [each.anonymous_bytes / MIB for each in of],
        )
        for part, group in groupby(samples, key=lambda sample: sample.part)
        for of in [list(group)]
    ]
    x = Axis('frames', 0.0, float(max(each.frames for each in samples)))
    most = max(each.anonymous_bytes for each in samples) / MIB
    drawn = chart(title, x, Axis('anonymous memory, MiB', 0.0, 1.1 * most), series)
    style = '.line,path,polyline{fill:none;stroke:#246}text{font:11px sans-serif}line{stroke:#999}'
    return drawn.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ', 1).replace(
        '>', f'><style>{style}</style>', 1
    )
