# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much of a difference between two runs of one sequence its frames leave to chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import math

import numpy as np

from xstreamvggt_ros.evaluation.record import Record

RESAMPLES = 400
# Per cent, of a change.
INTERVAL = (2.5, 97.5)
# Fewer frames say nothing of their spread.
LEAST_FRAMES = 8


@dataclass(frozen=True)
class Curve:
    """What a figure is taken of, frame by frame, and how."""

    name: str
    summary: Callable[[np.ndarray], np.ndarray]


def _root_mean_square(values: np.ndarray) -> np.ndarray:
    return np.sqrt((values**2).mean(axis=-1))


def _mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=-1)


def _median(values: np.ndarray) -> np.ndarray:
    return np.median(values, axis=-1)


CURVES = {
    'ate_rmse': Curve('position_error_m', _root_mean_square),
    'depth_median_abs_rel': Curve('abs_rel', _mean),
    'latency_median_ms': Curve('latency_ms', _median),
    'frames_per_second': Curve('latency_ms', lambda values: 1e3 / _mean(values)),
}


def change_interval(run: Record, reference: Record, figure: str) -> tuple[float, float] | None:
    """
    Give the 95 % interval of a figure's change, as a share, by bootstrap over the frames.

    Both runs are resampled alike, in blocks of about the square root of their number, since
    frames that follow one another err alike (moving blocks: Künsch, Ann. Statist. 1989). None for
    a figure that is not taken frame by frame, or too few frames.
    """
    curve = CURVES.get(figure)
    if curve is None:
        return None
    ours, theirs = (_values(each, curve.name) for each in (run, reference))
    if len(ours) != len(theirs):
        return None
    known = np.isfinite(ours) & np.isfinite(theirs)
    ours, theirs = ours[known], theirs[known]
    if len(ours) < LEAST_FRAMES:
        return None
    drawn = _blocks(len(ours), np.random.default_rng(0))
    before = curve.summary(theirs[drawn])
    changes = (curve.summary(ours[drawn]) - before) / np.abs(before)
    low, high = np.percentile(changes, INTERVAL)
    return float(low), float(high)


def _values(run: Record, curve: str) -> np.ndarray:
    values = run.info['curves'].get(curve, ())
    return np.array([math.nan if value is None else value for value in values])


def _blocks(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw frames (RESAMPLES, count) in blocks."""
    length = round(math.sqrt(count))
    starts = rng.integers(0, count - length + 1, (RESAMPLES, math.ceil(count / length)))
    drawn = starts[..., None] + np.arange(length)
    return drawn.reshape(RESAMPLES, -1)[:, :count]
