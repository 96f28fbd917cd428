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
from collections.abc import Mapping
from functools import partial
from pathlib import Path
import sys

import numpy as np
import torch

from benchmarks import compression
from benchmarks.kept_runs import complete
from benchmarks.paired import cell, median, table
from benchmarks.scenes import METRICS, Scene
from benchmarks.segments.cut_streams import cover, CutStream, run_stream
from benchmarks.segments.joins import by_band, by_surface, join, refitted, shipped
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.files.hashing import file_sha256
from xstreamvggt_ros.stream import Frame, StreamingReconstructor
from xstreamvggt_ros.stream.loading import load_network

SHIPPED = 'single Sim(3)'
UNCUT = 'no cut'
JOINS = {
    SHIPPED: (shipped, None),
    'Sim(3) of all depth': (refitted, None),
    f'{SHIPPED}, bands of depth': (shipped, by_band),
    f'{SHIPPED}, layers': (shipped, by_surface),
    'Sim(3) of all depth, bands of depth': (refitted, by_band),
    'Sim(3) of all depth, layers': (refitted, by_surface),
}
NAMES = (*JOINS, UNCUT)


def measure(
    seed: int,
    chosen: list[str],
    frames: int,
    size: tuple[int, int],
    cuts: int,
    covered: int,
    checkpoint: str = '',
) -> list[dict]:
    """
    Run one scene and join it in the ways chosen; a row each. An empty checkpoint: the bundled one.

    joins: how often a stream was chained. moved: by how many per cent a depth that a chained
    stream gave differs from the shipped join's, the median over pixels. Where a stream could not
    be chained, figures are NaN.
    """
    torch.set_num_threads(1)
    model = load_network('tiny', checkpoint, '', 'cpu', 'float32')
    scene = Scene.held_out(seed, frames, size)
    images, kept = cover(scene.images, cuts, covered)
    truth = Scene(*(part[kept] for part in vars(scene).values()))

    def stream() -> StreamingReconstructor:
        return StreamingReconstructor(model, CacheConfig.recommended(), point_head=False)

    run = run_stream(stream(), images, kept)
    rows = []
    for name in chosen:
        figures = dict.fromkeys((*METRICS, 'moved'), np.nan)
        if name == UNCUT:
            uncut = stream()
            answers = [uncut.step(image) for image in scene.images]
            figures |= truth.score([answers[number] for number in kept])
        elif not run.lost:
            given = join(run.segments, *JOINS[name])
            figures |= truth.score([given[number] for number in kept])
            figures['moved'] = moved(given, run)
        joins = len(run.segments) - 1
        rows.append({'seed': seed, 'setting': name, 'joins': joins, 'lost': run.lost, **figures})
    return rows


def moved(given: Mapping[int, Frame], run: CutStream) -> float:
    """Give the per cent by which depths of chained streams differ from what the guard gave."""
    chained = [number for segment in run.segments[1:] for number in segment.shown]
    ratios = [given[number].depth / run.given[number].depth for number in chained]
    changes = torch.stack(ratios).log().abs() if ratios else torch.full((1,), np.nan)
    return 100 * float(changes.median().expm1())


def conditions(**of_run) -> dict[str, object]:
    """Give what rows must share with others to be compared with them."""
    names = ('frames', 'size', 'checkpoint')
    shared = compression.conditions(**{name: of_run[name] for name in names})
    own = ' '.join(file_sha256(path) for path in sorted(Path(__file__).parent.glob('*.py')))
    return shared | {'joining': own, 'cuts': of_run['cuts'], 'covered': of_run['covered']}


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
