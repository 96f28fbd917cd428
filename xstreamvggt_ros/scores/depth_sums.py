# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of merit of depth, over pixels whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WITHIN = 1.25


@dataclass(frozen=True)
class DepthScore:
    """
    AbsRel, RMSE in metres, the share of pixels within a factor of 1.25, and how many they are.

    NaN without pixels.
    """

    abs_rel: float
    rmse: float
    delta: float
    pixels: int


@dataclass
class DepthSums:
    """The figures' sums over pixels, so that maps can be scored one at a time."""

    relative: float = 0.0
    squared: float = 0.0
    within: int = 0
    pixels: int = 0

    def add(self, prediction: np.ndarray, truth: np.ndarray) -> None:
        """Add pixels (N,): depth and true depth, which is above 0; predictions of 0 are wrong."""
        prediction, truth = (values.astype(np.float64) for values in (prediction, truth))
        error = prediction - truth
        self.relative += float((np.abs(error) / truth).sum())
        self.squared += float((error**2).sum())
        inside = (prediction < WITHIN * truth) & (truth < WITHIN * prediction)
        self.within += int(inside.sum())
        self.pixels += len(truth)

    def plus(self, other: DepthSums) -> DepthSums:
        """Add up two."""
        return DepthSums(
            self.relative + other.relative,
            self.squared + other.squared,
            self.within + other.within,
            self.pixels + other.pixels,
        )

    def score(self) -> DepthScore:
        """Give the means."""
        if not self.pixels:
            return DepthScore(np.nan, np.nan, np.nan, 0)
        count = self.pixels
        return DepthScore(
            self.relative / count,
            float(np.sqrt(self.squared / count)),
            self.within / count,
            count,
        )


def median_scale(prediction: np.ndarray, truth: np.ndarray) -> float:
    """Give the factor that makes the medians (N,) agree, 1 where none does."""
    middle = float(np.median(prediction)) if len(prediction) else 0.0
    return float(np.median(truth)) / middle if middle > 0 else 1.0


def least_squares_line(prediction: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Give scale and shift that bring predictions (N,) nearest to the truth; 1, 0 for none."""
    if not len(prediction):
        return 1.0, 0.0
    prediction, truth = (values.astype(np.float64) for values in (prediction, truth))
    centred = prediction - prediction.mean()
    spread = float(centred @ centred)
    # A constant prediction can be shifted, not scaled.
    scale = float(centred @ truth) / spread if spread > 0 else 1.0
    return scale, float(truth.mean() - scale * prediction.mean())
