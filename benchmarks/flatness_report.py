# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the samples of a node's process say, printed and written beside them."""

from __future__ import annotations

import argparse
from dataclasses import asdict
import json
import os
from pathlib import Path

import numpy as np

from benchmarks.steadiness import (
    by_minute,
    growth,
    LAST,
    late_by_tenths,
    MIB,
    plot,
    processor_late_by_second_tenth,
    read_samples,
    Sample,
    SECOND,
    settled_parts,
)

ROWS = 20


def samples_file(folder: Path) -> Path:
    """Say where samples are kept."""
    return folder / 'samples.jsonl'


def heap_file(folder: Path, part: int) -> Path:
    """Say where a part's heap is told of."""
    return (folder / f'heap_{part}.jsonl').absolute()


def tell(options: argparse.Namespace) -> int:
    """Print and write what the samples say; 1 where they are not below the bound."""
    samples = read_samples(samples_file(options.output))
    if not samples:
        print('no sample was taken')
        return 1
    slope = growth(settled_parts(samples, options.settle))
    late = late_by_tenths(samples)
    ratio = late[LAST] / late[SECOND] if late else None
    spent = processor_late_by_second_tenth(
        [each for each in samples if each.part == samples[-1].part]
    )
    rows = by_minute(samples)
    figures = {
        'options': {name: str(value) for name, value in vars(options).items() if name != 'output'},
        'bytes_a_frame': None if slope is None else asdict(slope),
        'late_latency_ms_by_tenths': late,
        'late_latency_by_second_tenth': ratio,
        'late_processor_time_by_second_tenth': spent,
        'by_minute': rows,
    }
    (options.output / 'flatness.json').write_text(json.dumps(figures, indent=1) + '\n')
    (options.output / 'flatness.svg').write_text(plot(samples, 'anonymous memory of the node'))
    _print(rows, samples)
    _print_heap(heap_file(options.output, samples[-1].part), samples, options.settle)
    if slope is None:
        print(f'too few samples after frame {options.settle} for a slope')
        return int(options.bound is not None)
    print(
        f'anonymous memory from frame {options.settle} on: {slope.value:.0f} bytes a frame '
        f'(95 % interval {slope.low:.0f} to {slope.high:.0f})'
    )
    if late:
        print('late latency (p95) by tenths of the frames, ms:', *(f'{each:.0f}' for each in late))
        print(f'late latency (p95) of the last tenth by that of the second: {ratio:.3f}')
    if spent is not None:
        print(f'processor time a frame, last tenth by second: {spent:.3f}')
    return int(options.bound is not None and slope.high > options.bound)


def _print(rows: list[dict[str, float]], samples: list[Sample]) -> None:
    names = ('part', 'minute', 'frames', 'anonymous, MiB', 'shared, MiB', 'files')
    print('|', *(f'{name} |' for name in (*names, 'p50, ms', 'p95, ms', 'processor, ms')))
    print('|---|---|---|---|---|---|---|---|---|')
    step = max(1, len(rows) // ROWS)
    for row in [*rows[:-1:step], rows[-1]]:
        print(
            f'| {row["part"]} | {row["minute"]} | {row["frames"]} | {row["anonymous_mib"]:.1f} | '
            f'{row["shared_mib"]:.1f} | {row["file_descriptors"]} | {row["latency_p50_ms"]:.0f} | '
            f'{row["latency_p95_ms"]:.0f} | {row["processor_ms"]:.0f} |'
        )
    load = np.mean([each.load for each in samples])
    print(f'load of the machine meanwhile: {load:.1f} on {os.cpu_count()} cores')


def _print_heap(file: Path, samples: list[Sample], settle: int) -> None:
    """Say how the newest part's heap was when its frames had settled, and at the end."""
    if not file.exists():
        return
    rows = [json.loads(line) for line in file.read_text(encoding='ascii').splitlines()]
    newest = [each for each in samples if each.part == samples[-1].part]
    # Both take a line in the same time, and end together.
    settled = sum(each.frames >= settle for each in newest)
    for name, row in (('settled', rows[-min(settled, len(rows))]), ('at the end', rows[-1])):
        print(
            f'heap, {name}: {row["used"] / MIB:.1f} MiB in use, {row["free"] / MIB:.1f} MiB free '
            f'in {row["holes"]} holes'
        )
