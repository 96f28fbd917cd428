# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print how well a re-anchored stream joins the one before: python -m benchmarks.segments.

The bundled network with the cache that ships sees held-out scenes whose camera is covered for some
images, after which the guard begins the stream anew and chains it by the last four images that
passed. What the network said in each stream is joined by the single Sim(3) that ships, by one
fitted to all depth of those images, and by either with a scale for each layer of depth. Shown is
how much worse each is than the first, in per cent: medians over scenes and, in brackets, 95 %
intervals by bootstrap. Covered images do not count. Runs are kept in a file, so that a killed
command goes on where it stopped; those of other weights or code are left alone.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
import sys

import numpy as np

from benchmarks.kept_runs import complete
from benchmarks.paired import cell, median, table
from benchmarks.segments.trial import conditions, measure, NAMES, SHIPPED


def report(rows: list[dict]) -> str:
    """
    Write every join against the one that ships, and how often there was something to join.

    Scenes in which a stream could not be chained are counted, and compared in nothing.
    """
    lost = {row['seed'] for row in rows if row['lost']}
    rows = [row for row in rows if not row['lost']]
    joins = [row['joins'] for row in rows if row['setting'] == SHIPPED]
    lines = [
        f'streams chained a scene: {min(joins, default=0)} to {max(joins, default=0)}, median '
        f'{median(joins):g}; scenes left out because one could not be: {len(lost)}',
        '',
        table(rows, SHIPPED, {'depth moved %': _moved}, heading='join'),
    ]
    return '\n'.join(lines)


def _moved(rows: list[dict]) -> str:
    values = np.array([row['moved'] for row in rows])
    return cell(values[np.isfinite(values)], '.2f')


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.segments', description=__doc__.strip().splitlines()[0]
    )
    parser.add_argument('--scenes', type=int, default=24)
    parser.add_argument('--frames', type=int, default=48)
    parser.add_argument('--size', type=int, nargs=2, default=(126, 168))
    parser.add_argument('--cuts', type=int, default=2, help='times that the camera is covered')
    parser.add_argument('--covered', type=int, default=4, help='images a time')
    parser.add_argument('--first-seed', type=int, default=9000, help='of the scenes')
    parser.add_argument('--checkpoint', default='', help='file of weights; the bundled one')
    parser.add_argument('--jobs', type=int, default=1, help='processes')
    parser.add_argument('--runs', type=Path, default=Path('out/segments.jsonl'))
    options = parser.parse_args(arguments)
    names = ('frames', 'cuts', 'covered', 'checkpoint')
    of_run = {name: getattr(options, name) for name in names} | {'size': tuple(options.size)}
    rows = complete(
        options.runs,
        conditions(**of_run),
        range(options.first_seed, options.first_seed + options.scenes),
        {name: name for name in NAMES},
        partial(measure, **of_run),
        options.jobs,
    )
    sys.stdout.write(report(rows) + '\n')
    return 0


if __name__ == '__main__':
    raise SystemExit(main())
