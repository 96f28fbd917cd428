# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
How far a run is from the unbounded one of the same frames, whether or not a truth is known.

Both see the world from their first camera, so nothing is aligned: a scale that drifts counts.
"""

from __future__ import annotations

import math

import numpy as np

from xstreamvggt_ros.evaluation.arrays import FrameArrays, thinned_intrinsics
from xstreamvggt_ros.evaluation.collect import lifted
from xstreamvggt_ros.evaluation.record import Record
from xstreamvggt_ros.scores.trajectory import absolute_error

NAMES = (
    'difference_depth',
    'difference_position',
    'difference_rotation',
    'difference_cloud',
    'difference_frames',
)


def differences(run: Record, reference: Record) -> dict[str, float]:
    """
    Give the figures of NAMES, over the frames that both answered; NaN where there is none.

    difference_depth: mean of |d / d_ref - 1| over all pixels. difference_position: root mean
    square of the cameras' distance, by the length of the reference's path. difference_rotation:
    root mean square in degrees. difference_cloud: mean distance of the points of the same pixels,
    by the reference's mean depth. difference_frames: how many frames they are of. Of frames that
    have nothing to do with each other there is neither path nor cloud.
    """
    frames, others = run.frames(), reference.frames()
    found = dict.fromkeys(NAMES, math.nan)
    if not np.array_equal(frames.stamps_ns, others.stamps_ns):
        return found
    alone = run.info['sequence']['independent_frames']
    both = _answered(frames, alone) & _answered(others, alone)
    if not both.any():
        return found
    found['difference_frames'] = float(both.sum())
    found |= _maps(run, reference, np.flatnonzero(both))
    if alone:
        return {**found, 'difference_cloud': math.nan}
    return found | _poses(frames.poses[both], others.poses[both])


def _answered(frames: FrameArrays, alone: bool) -> np.ndarray:
    """Tell the frames (F,) that there is an estimate of, in the stream that has most of them."""
    done = frames.statuses == 'done'
    return done if alone else done & (frames.worlds == frames.main_world)


def _poses(poses: np.ndarray, others: np.ndarray) -> dict[str, float]:
    error = absolute_error(poses, others, 'none')
    share = error.translation.rmse / error.path if error.path > 0 else math.nan
    return {'difference_position': share, 'difference_rotation': error.rotation.rmse}


def _maps(run: Record, reference: Record, indices: np.ndarray) -> dict[str, float]:
    """Compare depths, and the points that they are lifted to, pixel by pixel."""
    mine, its = _Lifting(run), _Lifting(reference)
    if mine.depth.estimates.shape != its.depth.estimates.shape:
        return {}
    shares = distances = depths = 0.0
    pixels = 0
    for index in indices.tolist():
        depth, other = mine.depth.estimates[index], its.depth.estimates[index]
        known = np.isfinite(depth) & np.isfinite(other) & (other > 0)
        apart = np.linalg.norm(mine.points(index) - its.points(index), axis=-1)
        shares += float(np.abs(depth[known] / other[known] - 1).sum(dtype=np.float64))
        distances += float(apart[known].sum(dtype=np.float64))
        depths += float(other[known].sum(dtype=np.float64))
        pixels += int(known.sum())
    if not pixels:
        return {}
    return {'difference_depth': shares / pixels, 'difference_cloud': distances / depths}


class _Lifting:
    """The depths of a run, and their points in its world."""

    def __init__(self, run: Record) -> None:
        self.depth, self._frames = run.depth(), run.frames()

    def points(self, index: int) -> np.ndarray:
        """Lift a frame's kept depths (h, w) to points (h, w, 3)."""
        kept = thinned_intrinsics(self._frames.intrinsics[index], int(self.depth.stride))
        return lifted(self.depth.estimates[index], kept, self._frames.poses[index])
