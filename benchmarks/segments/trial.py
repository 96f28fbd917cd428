# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One scene whose stream is cut, joined in every way; processes find this by its own name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from benchmarks import compression
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
