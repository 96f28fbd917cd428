# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The metric scale from a robot's odometry."""

from __future__ import annotations

from collections import deque

import numpy as np

from xstreamvggt_ros.scale.estimator import ScaleEstimator, ScaleState

# Metres that odometry must have moved in all; between samples; between compared positions.
MIN_PATH = 0.5
MIN_STEP = 0.05
MIN_BASELINE = 0.25
MIN_POSITIONS = 5
MAX_POSITIONS = 128


class OdometryScale(ScaleEstimator):
    """
    Compare how far odometry and poses moved: the slope of one against the other.

    Of the latest positions, 5 cm apart, each pair far enough apart gives the ratio of their
    distances in both; the slope is the ratios' median (Theil 1950, Sen 1968). Distances need no
    alignment of the two worlds.
    """

    source = 'odometry'

    def _begin(self) -> ScaleState:
        # Rows of metric x, y, z and predicted x, y, z.
        self._positions: deque[np.ndarray] = deque(maxlen=MAX_POSITIONS)
        self._path = 0.0
        return self._unsettled('no odometry yet')

    def _advance(self, reconstruction, metric_depth, odom_from_camera) -> ScaleState:
        if odom_from_camera is None:
            return self._state
        position = np.concatenate(
            [odom_from_camera[:3, 3], reconstruction.map_from_camera[:3, 3]]
        ).astype(np.float64)
        if not np.isfinite(position).all():
            return self._state
        if self._positions:
            step = float(np.linalg.norm(position[:3] - self._positions[-1][:3]))
            if step < MIN_STEP:
                return self._state
            self._path += step
        self._positions.append(position)
        return self._judge_positions()

    def _judge_positions(self) -> ScaleState:
        count = len(self._positions)
        positions = np.stack(self._positions)
        first, second = np.triu_indices(count, k=1)
        apart = positions[first] - positions[second]
        metric = np.linalg.norm(apart[:, :3], axis=1)
        predicted = np.linalg.norm(apart[:, 3:], axis=1)
        # Long baselines, where noise of the poses tells least.
        far = metric >= max(MIN_BASELINE, 0.5 * metric.max(initial=0.0))
        reason = ''
        if self._path < MIN_PATH or count < MIN_POSITIONS:
            reason = (
                f'odometry moved {self._path:.2f} m in {count} positions; {MIN_PATH} m in '
                f'{MIN_POSITIONS} are needed'
            )
        elif not far.any():
            reason = f'odometry stayed within {MIN_BASELINE} m'
        if not far.any():
            return self._unsettled(reason, count)
        if np.median(predicted[far]) == 0:
            return self._unsettled('the poses stand still while the odometry moves', count)
        with np.errstate(divide='ignore'):
            return self._judge(metric[far] / predicted[far], count, reason)
