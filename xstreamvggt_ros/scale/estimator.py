# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What the estimators of the metric scale share.

Poses, depth and clouds of a stream have one unknown scale. An estimator compares them with one
metric source until its samples agree, and answers with that scale from then on until `reset`.
Medians and median absolute deviations throughout: almost half of the samples may be wrong.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from xstreamvggt_ros.pipeline import Reconstruction

# A relative spread above this does not settle the scale.
MAX_SPREAD = 0.2
# Turns the median absolute deviation into the standard deviation of a normal distribution.
NORMAL_MAD = 1.4826


@dataclass(frozen=True)
class ScaleState:
    """
    What is known of the scale.

    scale: metres per network unit to apply now, 1 until settled. estimate: the present one, which
    is `scale` once settled, None without samples. spread: the samples' standard deviation over
    the estimate, from their median absolute deviation. samples: how many it rests on. reason: why
    it is not settled, empty once it is.
    """

    source: str
    settled: bool
    scale: float
    estimate: float | None
    spread: float | None
    samples: int
    reason: str


class ScaleEstimator(ABC):
    """
    Estimate the scale of a stream from one metric source.

    Once settled it is locked, and further frames are ignored until `reset`. Memory is bounded.
    """

    source: str

    def __init__(self) -> None:
        """Begin without samples."""
        self.reset()

    @property
    def state(self) -> ScaleState:
        """What is known now."""
        return self._state

    def add(
        self,
        reconstruction: Reconstruction,
        metric_depth: np.ndarray | None = None,
        odom_from_camera: np.ndarray | None = None,
    ) -> None:
        """
        Take a frame that was reconstructed with scale 1, and what is known of it in metres.

        metric_depth: (H, W) along z, pixel by pixel that of the reconstruction; 0 and what is not
        finite is ignored. odom_from_camera: (4, 4), the camera's optical frame at the image's
        stamp in a frame that does not jump. Each source reads its own and ignores the rest.
        ValueError: depth of another size.
        """
        if not self._state.settled:
            self._state = self._advance(reconstruction, metric_depth, odom_from_camera)

    def reset(self) -> None:
        """Forget the scale, for a new stream."""
        self._state = self._begin()

    @abstractmethod
    def _begin(self) -> ScaleState:
        """Forget the samples."""

    @abstractmethod
    def _advance(
        self,
        reconstruction: Reconstruction,
        metric_depth: np.ndarray | None,
        odom_from_camera: np.ndarray | None,
    ) -> ScaleState:
        """Take a frame and judge anew."""

    def _unsettled(self, reason: str, samples: int = 0) -> ScaleState:
        return ScaleState(self.source, False, 1.0, None, None, samples, reason)

    def _judge(self, values: np.ndarray, count: int, reason: str = '') -> ScaleState:
        """Settle on the median of the values unless there is a reason not to; count samples."""
        estimate = float(np.median(values))
        spread = float(NORMAL_MAD * np.median(np.abs(values - estimate)) / estimate)
        if not reason and spread > MAX_SPREAD:
            reason = (
                f'the estimates from {self.source} spread by {spread:.0%}, more than '
                f'{MAX_SPREAD:.0%}'
            )
        settled = not reason
        scale = estimate if settled else 1.0
        return ScaleState(self.source, settled, scale, estimate, spread, count, reason)
