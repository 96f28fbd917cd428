# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much of a change from the reference is left to chance, by sequences and their frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math

import numpy as np

from xstreamvggt_ros.evaluation.record import Record

RESAMPLES = 400
# Per cent, of a change.
INTERVAL = (2.5, 97.5)
# Fewer frames say nothing of their spread.
LEAST_FRAMES = 8
# Fewer sequences that are figures alone lie on one side of none in more than 5 of 100 cases.
LEAST_SEQUENCES = 6


@dataclass(frozen=True)
class Curve:
    """
    What a figure is taken of, frame by frame, and how.

    summary: of values and their weights (..., F), as the figure is taken of all frames. weights:
    the curve that holds them; without one, frames count alike.
    """

    name: str
    summary: Callable[[np.ndarray, np.ndarray], np.ndarray]
    weights: str = ''


def _mean(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return (weights * values).sum(axis=-1) / weights.sum(axis=-1)


def _root_mean_square(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.sqrt(_mean(values**2, weights))


def _median(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    ordered = np.sort(np.where(weights > 0, values, np.inf), axis=-1)
    count = (weights > 0).sum(axis=-1, keepdims=True)
    middle = [np.take_along_axis(ordered, at, -1) for at in ((count - 1) // 2, count // 2)]
    return (middle[0] + middle[1])[..., 0] / 2


def _rate(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return 1e3 / _mean(values, weights)


CURVES = {
    'ate_rmse': Curve('position_error_m', _root_mean_square),
    'depth_median_abs_rel': Curve('abs_rel', _mean, 'depth_pixels'),
    'latency_median_ms': Curve('latency_ms', _median),
    'frames_per_second': Curve('latency_ms', _rate),
}


def change_interval(
    pairs: Sequence[tuple[Record, Record]], figure: str
) -> tuple[float, float] | None:
    """
    Give the 95 % interval of the change of a figure's mean over sequences, as a share.

    pairs: of each sequence a run and its reference. Sequences are drawn with replacement, and
    their frames, alike of both runs, in blocks of about the square root of their number, since
    frames that follow one another err alike (moving blocks: Künsch, Ann. Statist. 1989). None
    where neither frames nor sequences are enough: see LEAST_FRAMES and LEAST_SEQUENCES.
    """
    draw = np.random.default_rng(0)
    drawn = [_by_frames(*pair, CURVES.get(figure), draw) for pair in pairs]
    if len(pairs) < LEAST_SEQUENCES and (not pairs or any(each is None for each in drawn)):
        return None
    # (S, 2, RESAMPLES): the figure of the run and of the reference.
    figures = np.stack(
        [
            _known(*pair, figure) if each is None else each
            for pair, each in zip(pairs, drawn, strict=True)
        ]
    )
    shape = len(pairs), RESAMPLES
    sequences = draw.integers(0, len(pairs), shape)
    after, before = figures[sequences, :, draw.integers(0, RESAMPLES, shape)].mean(axis=0).T
    with np.errstate(divide='ignore', invalid='ignore'):
        changes = (after - before) / np.abs(before)
    changes = changes[np.isfinite(changes)]
    if not len(changes):
        return None
    low, high = np.percentile(changes, INTERVAL)
    return float(low), float(high)


def _by_frames(
    run: Record, reference: Record, curve: Curve | None, draw: np.random.Generator
) -> np.ndarray | None:
    """Give a figure of both (2, RESAMPLES) from frames drawn; None where that cannot be."""
    if curve is None:
        return None
    curves = [_values(each, curve) for each in (run, reference)]
    if len({len(values) for values, _ in curves}) != 1:
        return None
    if min((weights > 0).sum() for _, weights in curves) < LEAST_FRAMES:
        return None
    frames = _blocks(len(curves[0][0]), draw)
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.stack(
            [curve.summary(values[frames], weights[frames]) for values, weights in curves]
        )


def _known(run: Record, reference: Record, figure: str) -> np.ndarray:
    values = [[each.metrics[figure]] for each in (run, reference)]
    return np.broadcast_to(np.array(values, dtype=float), (2, RESAMPLES))


def _values(run: Record, curve: Curve) -> tuple[np.ndarray, np.ndarray]:
    """Read values and weights (F,); what has no value weighs nothing."""
    values = _numbers(run, curve.name)
    weights = _numbers(run, curve.weights) if curve.weights else np.ones_like(values)
    if len(weights) != len(values):
        # A record from before the weights were kept.
        weights = np.zeros_like(values)
    counts = np.isfinite(values) & (weights > 0)
    return np.where(counts, values, 0), np.where(counts, weights, 0)


def _numbers(run: Record, curve: str) -> np.ndarray:
    values = run.info['curves'].get(curve, ())
    return np.array([math.nan if value is None else value for value in values], dtype=float)


def _blocks(count: int, draw: np.random.Generator) -> np.ndarray:
    """Draw frames (RESAMPLES, count) in blocks."""
    length = round(math.sqrt(count))
    starts = draw.integers(0, count - length + 1, (RESAMPLES, math.ceil(count / length)))
    drawn = starts[..., None] + np.arange(length)
    return drawn.reshape(RESAMPLES, -1)[:, :count]
