# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The four sources of the metric scale, by their names in `output.scale_source`."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.scale.estimator import ScaleEstimator, ScaleState
from xstreamvggt_ros.scale.odometry import OdometryScale
from xstreamvggt_ros.scale.per_frame import CameraHeightScale, DepthScale

SCALE_SOURCES = ('parameter', 'depth', 'odometry', 'camera_height')


class ParameterScale(ScaleEstimator):
    """Hold a scale that is given; settled from the start."""

    source = 'parameter'

    def __init__(self, scale: float) -> None:
        """Take the metres per unit; ValueError unless finite and above 0."""
        if not (scale > 0 and np.isfinite(scale)):
            raise ValueError(f'output.scale is {scale}; use a finite number above 0')
        self._scale = float(scale)
        super().__init__()

    def _begin(self) -> ScaleState:
        return ScaleState(self.source, True, self._scale, self._scale, 0.0, 0, '')

    def _advance(self, reconstruction, metric_depth, odom_from_camera) -> ScaleState:
        return self._state


def make_scale_estimator(
    source: str, scale: float = 1.0, camera_height: float = 0.0
) -> ScaleEstimator:
    """
    Build the estimator of `output.scale_source`.

    `scale` is for 'parameter', `camera_height` in metres for 'camera_height'. ValueError: another
    source, or a number of its that is not above 0.
    """
    if source == 'parameter':
        return ParameterScale(scale)
    if source == 'depth':
        return DepthScale()
    if source == 'odometry':
        return OdometryScale()
    if source == 'camera_height':
        return CameraHeightScale(camera_height)
    raise ValueError(f'output.scale_source is {source!r}; use one of: {", ".join(SCALE_SOURCES)}')
