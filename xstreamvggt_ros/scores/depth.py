# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Depth against the truth: AbsRel, RMSE and delta < 1.25.

As the papers on video depth do it, one alignment is fitted for a sequence over all of its pixels
(`per='sequence'`), and as those on single images do it, one for each image (`per='frame'`). The
figures of a sequence are means over its pixels in either case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xstreamvggt_ros.scores.depth_sums import (
    DepthScore,
    DepthSums,
    least_squares_line,
    median_scale,
)

ALIGNMENTS = ('median', 'scale_shift', 'none')
SCOPES = ('sequence', 'frame')
# A fit over a whole sequence takes every n-th pixel beyond so many.
MAX_FITTED = 2**25


@dataclass(frozen=True)
class DepthProtocol:
    """
    Say how depth is compared.

    alignment: 'median' (one factor), 'scale_shift' (least squares) or 'none'. per: what one
    alignment is for. min_depth, max_depth: true depths in metres that count, e.g. up to 70 on
    Sintel and Bonn, 80 on KITTI and 10 on NYU-v2.
    """

    alignment: str = 'median'
    per: str = 'sequence'
    min_depth: float = 1e-3
    max_depth: float = np.inf

    def __post_init__(self) -> None:
        """Refuse what is not known."""
        for name, value, known in (
            ('alignment', self.alignment, ALIGNMENTS),
            ('per', self.per, SCOPES),
        ):
            if value not in known:
                raise ValueError(f'{name} is {value!r}; use one of: {", ".join(known)}')
        if not 0 < self.min_depth < self.max_depth:
            raise ValueError(
                f'min_depth is {self.min_depth} and max_depth {self.max_depth}; '
                'give depths above 0, the smaller one first'
            )


@dataclass(frozen=True)
class DepthScores:
    """
    The figures of a sequence: of all pixels, and of each frame under the same alignment.

    frames: a score a frame, one without pixels where there is no truth. scale, shift: what was
    fitted (F,), metres per unit of the prediction and metres; one value repeated if per sequence.
    """

    sequence: DepthScore
    frames: tuple[DepthScore, ...]
    scale: np.ndarray
    shift: np.ndarray


def score_depth(
    predictions: Sequence[np.ndarray],
    truths: Sequence[np.ndarray | None],
    protocol: DepthProtocol | None = None,
) -> DepthScores:
    """
    Compare depth maps (H, W) one by one with the truth (H, W), NaN or 0 where unknown.

    Predictions that are not finite count as wrong: as depth 0 (AbsRel 1). Both are gone through
    twice, so that maps may be loaded where they are asked for.
    """
    protocol = protocol or DepthProtocol()
    lines = _fit(predictions, truths, protocol)
    sums = []
    for prediction, truth, (scale, shift) in zip(predictions, truths, lines, strict=True):
        each = DepthSums()
        if truth is not None:
            values, true = _pixels(prediction, truth, protocol)
            finite = np.isfinite(values)
            # A depth behind the camera is as wrong as none.
            aligned = np.maximum(scale * np.where(finite, values, 0) + shift, 0)
            each.add(np.where(finite, aligned, 0), true)
        sums.append(each)
    total = DepthSums()
    for each in sums:
        total = total.plus(each)
    scales, shifts = np.array(lines, dtype=np.float64).reshape(-1, 2).T
    return DepthScores(total.score(), tuple(each.score() for each in sums), scales, shifts)


def mean_score(scores: Sequence[DepthScore], weighted: bool = True) -> DepthScore:
    """Average scores of several sequences, by their pixels or one as much as the other."""
    counted = [score for score in scores if score.pixels]
    if not counted:
        return DepthSums().score()
    weights = [score.pixels if weighted else 1 for score in counted]
    means = (
        float(np.average([getattr(score, name) for score in counted], weights=weights))
        for name in ('abs_rel', 'rmse', 'delta')
    )
    return DepthScore(*means, sum(score.pixels for score in counted))


def _fit(predictions, truths, protocol: DepthProtocol) -> list[tuple[float, float]]:
    """Give scale and shift for every frame."""
    if protocol.alignment == 'none':
        return [(1.0, 0.0)] * len(predictions)
    known = [truth for truth in truths if truth is not None]
    stride = 1
    if protocol.per == 'sequence' and known:
        stride = -(-sum(truth.size for truth in known) // MAX_FITTED)
    samples = [
        _fitted(prediction, truth, protocol, stride)
        for prediction, truth in zip(predictions, truths, strict=True)
    ]
    if protocol.per == 'frame':
        return [_line(*sample, protocol) for sample in samples]
    joined = [np.concatenate(parts) for parts in zip(*samples, strict=True)] if samples else []
    return [_line(*joined, protocol)] * len(samples) if samples else []


def _fitted(prediction, truth, protocol, stride) -> tuple[np.ndarray, np.ndarray]:
    if truth is None:
        return np.empty(0), np.empty(0)
    values, true = _pixels(prediction, truth, protocol)
    finite = np.isfinite(values)
    return values[finite][::stride], true[finite][::stride]


def _line(values, truth, protocol: DepthProtocol) -> tuple[float, float]:
    if protocol.alignment == 'median':
        return median_scale(values, truth), 0.0
    return least_squares_line(values, truth)


def _pixels(prediction, truth, protocol: DepthProtocol) -> tuple[np.ndarray, np.ndarray]:
    if prediction.shape != truth.shape:
        raise ValueError(
            f'a depth map of {prediction.shape} is compared with a truth of {truth.shape}; '
            'bring them to one size first'
        )
    with np.errstate(invalid='ignore'):
        counts = (truth >= protocol.min_depth) & (truth <= protocol.max_depth)
    counts &= np.isfinite(truth)
    return prediction[counts], truth[counts]
