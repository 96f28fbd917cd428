# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print what methods that are no policies cost and gain: python -m benchmarks.methods.

Each takes the bytes that the shipped cache takes at a share of the tokens, in a dense cache that
rounds and counts as if it stored. The bundled network reconstructs held-out scenes with each;
shown is how much worse than with a cache without bound, and than the dense control, in per cent:
medians over scenes and, in brackets, 95 % intervals by bootstrap; the most bytes that the global
blocks take; and CPU time a frame, beside the control's in the same run. Runs are kept in a file,
so that a killed command goes on where it stopped; those of other weights or code are left alone.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
import sys

from benchmarks.compression import Setting
from benchmarks.kept_runs import complete
from benchmarks.methods.catalogue import blocks, CONTROL, digest, METHODS, MIXED, rules
from benchmarks.methods.trial import conditions, measure, shipped
from benchmarks.paired import median, table
from xstreamvggt_ros.model import ModelConfig

UNBOUNDED = Setting().name()


def chosen(options: argparse.Namespace) -> dict[str, Setting | partial]:
    """Give what is run, by name: the package's own two caches first."""
    own = {UNBOUNDED: Setting()}
    if options.instead:
        return own | options.instead(ModelConfig.preset('tiny').depth)
    own[shipped(options.share).name()] = shipped(options.share)
    return own | {name: METHODS[name] for name in options.methods}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog='python -m benchmarks.methods', description=__doc__.strip().splitlines()[0]
    )
    parser.add_argument('--scenes', type=int, default=16)
    parser.add_argument('--frames', type=int, default=48)
    parser.add_argument('--size', type=int, nargs=2, default=(126, 168))
    parser.add_argument('--first-seed', type=int, default=9000, help='of the scenes')
    parser.add_argument('--checkpoint', default='', help='file of weights; the bundled one')
    parser.add_argument('--share', type=int, default=25, help='of the tokens, in per cent')
    parser.add_argument('--methods', nargs='+', choices=METHODS, default=METHODS, metavar='NAME')
    instead = parser.add_mutually_exclusive_group()
    for name, methods, words in (
        ('--blocks', blocks, 'prune one block at a time'),
        ('--rules', rules, 'change the rule of one block at a time'),
    ):
        instead.add_argument(
            name, dest='instead', action='store_const', const=methods, help=f'{words} instead'
        )
    parser.add_argument('--jobs', type=int, default=1, help='processes')
    parser.add_argument('--runs', type=Path, default=Path('out/methods.jsonl'))
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    options = parse(arguments)
    of_run = {
        'frames': options.frames,
        'size': tuple(options.size),
        'share': options.share,
        'checkpoint': options.checkpoint,
    }
    run = chosen(options)
    codes = digest({name: method for name, method in run.items() if isinstance(method, partial)})
    rows = complete(
        options.runs,
        conditions(**of_run),
        range(options.first_seed, options.first_seed + options.scenes),
        {name: (name, method) for name, method in run.items()},
        partial(measure, codes=codes, **of_run),
        options.jobs,
        lambda row: row.get('method') == codes.get(row['setting']),
    )
    sys.stdout.write(report(rows) + '\n')
    return 0


def report(rows: list[dict]) -> str:
    """Write every method against the unbounded cache, then against what is their control."""
    columns = {
        'KiB': lambda of: f'{max(row["bytes"] for row in of) / 1024:.1f}',
        'time': lambda of: f'{median(row["by control"] for row in of):.2f}',
    }
    others = [row for row in rows if row['setting'] != UNBOUNDED]
    written = [table(rows, UNBOUNDED, columns)]
    measured = {row['setting'] for row in others}
    control = CONTROL if CONTROL in measured else MIXED
    if control in measured:
        written.append(table(others, control, columns))
    return '\n\n'.join(written)


if __name__ == '__main__':
    raise SystemExit(main())
