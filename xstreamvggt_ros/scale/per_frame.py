# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The metric scale from what single frames say of it: their depth, or the ground in them."""

from __future__ import annotations

from abc import abstractmethod
from collections import deque

import numpy as np
import torch

from xstreamvggt_ros.geometry import unproject
from xstreamvggt_ros.pipeline import Reconstruction
from xstreamvggt_ros.scale.estimator import ScaleEstimator, ScaleState
from xstreamvggt_ros.scale.ground_plane import camera_height_above_ground

# Frames whose own estimates must agree, and how many of the latest are looked at.
MIN_FRAMES = 10
MAX_FRAMES = 64
# Pixels that metric and predicted depth must share in a frame.
MIN_PIXELS = 100


class _FrameScale(ScaleEstimator):
    """Settle on the median of what each of the latest frames says by itself."""

    def _begin(self) -> ScaleState:
        self._estimates: deque[float] = deque(maxlen=MAX_FRAMES)
        return self._unsettled(f'0 of {MIN_FRAMES} frames gave an estimate')

    def _advance(self, reconstruction, metric_depth, odom_from_camera) -> ScaleState:
        estimate, why_none = self._estimate(reconstruction, metric_depth)
        if estimate is not None:
            self._estimates.append(estimate)
        count = len(self._estimates)
        reason = ''
        if count < MIN_FRAMES:
            reason = f'{count} of {MIN_FRAMES} frames gave an estimate'
            if why_none:
                reason += f'; the last did not: {why_none}'
        if not count:
            return self._unsettled(reason)
        return self._judge(np.array(self._estimates), count, reason)

    @abstractmethod
    def _estimate(
        self, reconstruction: Reconstruction, metric_depth: np.ndarray | None
    ) -> tuple[float | None, str]:
        """Estimate the scale from one frame, or say why that cannot be done."""


class DepthScale(_FrameScale):
    """
    Compare metric with predicted depth: a frame's estimate is the median of their ratio.

    The less confident half of the pixels that have both is left out.
    """

    source = 'depth'

    def _estimate(self, reconstruction, metric_depth) -> tuple[float | None, str]:
        if metric_depth is None:
            return None, 'no metric depth with it'
        predicted, confidence = reconstruction.depth, reconstruction.confidence
        if metric_depth.shape != predicted.shape:
            raise ValueError(
                f'metric depth is {metric_depth.shape} but the reconstruction is '
                f'{predicted.shape}; bring it to the same pixels (align_depth)'
            )
        # Comparisons with NaN are false.
        both = (metric_depth > 0) & (metric_depth < np.inf) & (predicted > 0)
        both &= np.isfinite(confidence)
        pixels = np.count_nonzero(both)
        if pixels < MIN_PIXELS:
            return None, f'metric and predicted depth share {pixels} of {MIN_PIXELS} pixels'
        both &= confidence >= np.median(confidence[both])
        ratio = metric_depth[both].astype(np.float64) / predicted[both]
        return float(np.median(ratio)), ''


class CameraHeightScale(_FrameScale):
    """
    Compare the known height of the camera above the ground with the height that is seen.

    For cameras mounted upright, within 40 degrees, that see the ground.
    """

    source = 'camera_height'

    def __init__(self, height: float) -> None:
        """Take the height in metres; ValueError unless finite and above 0."""
        if not (height > 0 and np.isfinite(height)):
            raise ValueError(
                f'output.camera_height is {height}; give the height of the camera above the '
                'ground in metres'
            )
        self._height = float(height)
        super().__init__()

    def _begin(self) -> ScaleState:
        self._rng = np.random.default_rng(0)
        return super()._begin()

    def _estimate(self, reconstruction, metric_depth) -> tuple[float | None, str]:
        depth = torch.from_numpy(np.ascontiguousarray(reconstruction.depth))
        points = unproject(depth, depth.new_tensor(reconstruction.intrinsics)).numpy()
        seen = camera_height_above_ground(points, self._rng)
        if seen is None:
            return None, 'no ground is seen below the camera'
        return self._height / seen, ''
