# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Trajectories against the truth: ATE, RPE and the recovered scale (Sturm et al., IROS 2012).

Poses are world from camera, (F, 4, 4) rigid, frame by frame. Frames whose pose is not finite in
either are left out of the fit and of the figures. Alignments: 'determined' is `fit_poses`, which
gives no figure that the truth does not determine; 'sim3', 'se3' and 'none' are evo's of places.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.files.stamped_poses import nearest_stamps, StampedPoses
from xstreamvggt_ros.files.trajectories import Trajectory
from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.geometry.umeyama import fit_points, move
from xstreamvggt_ros.scores.pose_fit import fit_poses, PLACES, PoseFit
from xstreamvggt_ros.scores.statistics import ErrorStatistics

DETERMINED = 'determined'
UNITS = ('frames', 'metres')
# Pairs of a delta in metres may be off by this share of it.
DELTA_TOLERANCE = 0.1


@dataclass(frozen=True, eq=False)
class AbsoluteError:
    """
    The absolute trajectory error.

    translation: metres, and its errors by frame (F,), NaN where there was no pose. rotation:
    degrees. similarity: what the estimate was aligned by; its scale is metres per unit of the
    estimate. path: length of the true path, metres. aligned_by: what the fit was made by, '' where
    the truth determines none and there are no errors, as `reason` explains.
    """

    translation: ErrorStatistics
    rotation: ErrorStatistics
    errors: np.ndarray
    similarity: Similarity
    path: float
    aligned_by: str = PLACES
    reason: str = ''


@dataclass(frozen=True, eq=False)
class RelativeError:
    """The relative pose error: metres, degrees, and the pairs of frames (P, 2) it was taken of."""

    translation: ErrorStatistics
    rotation: ErrorStatistics
    pairs: np.ndarray


def absolute_error(
    estimate: np.ndarray, truth: np.ndarray, alignment: str = DETERMINED
) -> AbsoluteError:
    """Align the estimate to the truth and compare."""
    valid = valid_frames(estimate, truth)
    kept, true = estimate[valid], truth[valid]
    path = float(np.linalg.norm(np.diff(true[:, :3, 3], axis=0), axis=1).sum())
    fit = _fit(kept, true, alignment)
    errors = np.full(len(truth), np.nan)
    if not fit.by:
        empty = ErrorStatistics.of(np.empty(0))
        return AbsoluteError(empty, empty, errors, fit.similarity, path, fit.by, fit.reason)
    aligned = align_poses(kept, fit.similarity)
    errors[valid] = np.linalg.norm(aligned[:, :3, 3] - true[:, :3, 3], axis=1)
    turned = rotation_degrees(np.swapaxes(true[:, :3, :3], 1, 2) @ aligned[:, :3, :3])
    return AbsoluteError(
        ErrorStatistics.of(errors[valid]),
        ErrorStatistics.of(turned),
        errors,
        fit.similarity,
        path,
        fit.by,
    )


def relative_error(
    estimate: np.ndarray,
    truth: np.ndarray,
    delta: float = 1,
    unit: str = 'frames',
    all_pairs: bool = True,
    alignment: str = DETERMINED,
) -> RelativeError:
    """
    Compare the motions over `delta` frames, or metres of the true path.

    all_pairs: from every frame on, else from where the pair before ended. Frames count whether or
    not they have poses; pairs are those of which both do. Metres: with all pairs, the frame
    nearest to delta metres on, if within a tenth of delta; otherwise the first frame that is at
    least delta metres on; of frames that have poses. alignment: of its result only the scale
    matters here; without one there are rotations alone.
    """
    valid = valid_frames(estimate, truth)
    frames = np.arange(len(truth)) if unit == 'frames' else np.flatnonzero(valid)
    pairs = frames[motion_pairs(truth[frames, :3, 3], delta, unit, all_pairs)]
    pairs = pairs[valid[pairs].all(axis=1)]
    if not len(pairs):
        empty = ErrorStatistics.of(np.empty(0))
        return RelativeError(empty, empty, pairs)
    fit = _fit(estimate[valid], truth[valid], alignment)
    aligned = align_poses(estimate, fit.similarity)
    errors = np.linalg.inv(_motions(truth, pairs)) @ _motions(aligned, pairs)
    lengths = np.linalg.norm(errors[:, :3, 3], axis=1)
    return RelativeError(
        ErrorStatistics.of(lengths if fit.by else np.empty(0)),
        ErrorStatistics.of(rotation_degrees(errors[:, :3, :3])),
        pairs,
    )


def motion_pairs(places: np.ndarray, delta: float, unit: str, all_pairs: bool) -> np.ndarray:
    """Choose pairs of frames (P, 2) of a path (F, 3), as `relative_error` says."""
    if unit not in UNITS:
        raise ValueError(f'unit is {unit!r}; use one of: {", ".join(UNITS)}')
    if not delta > 0 or unit == 'frames' and delta != int(delta):
        raise ValueError(f'delta is {delta} {unit}; give a number above 0, a whole one of frames')
    if unit == 'frames':
        step = int(delta)
        starts = np.arange(0, len(places) - step, 1 if all_pairs else step)
        return np.stack([starts, starts + step], axis=1)
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1)
    travelled = np.concatenate([[0.0], np.cumsum(steps)])[: len(places)]
    if all_pairs:
        return _nearest_pairs(travelled, delta)
    return _consecutive_pairs(travelled, delta)


def align_poses(poses: np.ndarray, similarity: Similarity) -> np.ndarray:
    """Move poses (F, 4, 4) by a similarity; they stay rigid, their places are scaled."""
    moved = np.array(poses, dtype=np.float64)
    moved[:, :3, :3] = similarity.rotation @ poses[:, :3, :3]
    moved[:, :3, 3] = move(poses[:, :3, 3], similarity)
    return moved


def valid_frames(estimate: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Tell (F,) which frames have a finite pose in both."""
    if estimate.shape != truth.shape or truth.shape[1:] != (4, 4):
        raise ValueError(
            f'poses {estimate.shape} and {truth.shape}: give (F, 4, 4) of the same frames'
        )
    return np.isfinite(estimate).all((1, 2)) & np.isfinite(truth).all((1, 2))


def matched(
    estimate: Trajectory, truth: Trajectory, tolerance_s: float = 0.01
) -> tuple[np.ndarray, np.ndarray]:
    """Give poses (F, 4, 4) of both, for every stamp of the estimate that has a truth near by."""
    ours, theirs = (StampedPoses.of_trajectory(each) for each in (estimate, truth))
    tolerance_ns = round(tolerance_s * NANOSECONDS)
    found = nearest_stamps(theirs.stamps_ns, ours.stamps_ns, tolerance_ns)
    return ours.poses[found >= 0], theirs.poses[found[found >= 0]]


def rotation_degrees(rotations: np.ndarray) -> np.ndarray:
    """Give the angles (N,) of rotations (N, 3, 3), degrees."""
    return np.degrees(Rotation.from_matrix(rotations).magnitude())


def _fit(estimate: np.ndarray, truth: np.ndarray, alignment: str) -> PoseFit:
    """Fit finite poses."""
    if alignment == DETERMINED:
        return fit_poses(estimate, truth)
    if not len(truth):
        return PoseFit(Similarity(), '', 'no pose is known of both')
    return PoseFit(fit_points(estimate[:, :3, 3], truth[:, :3, 3], alignment), PLACES)


def _motions(poses: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    return np.linalg.inv(poses[pairs[:, 0]]) @ poses[pairs[:, 1]]


def _nearest_pairs(travelled: np.ndarray, delta: float) -> np.ndarray:
    """Pair each frame with that nearest to `delta` further on, if it is near enough."""
    if not len(travelled):
        return np.empty((0, 2), dtype=np.int64)
    wanted = travelled + delta
    after = np.minimum(np.searchsorted(travelled, wanted), len(travelled) - 1)
    before = np.maximum(after - 1, 0)
    nearer = np.abs(travelled[before] - wanted) <= np.abs(travelled[after] - wanted)
    # Of the frames of a camera that stands there, the first.
    ends = np.searchsorted(travelled, travelled[np.where(nearer, before, after)])
    starts = np.arange(len(travelled))
    good = np.abs(travelled[ends] - wanted) <= DELTA_TOLERANCE * delta
    return np.stack([starts, ends], axis=1)[good & (ends > starts)]


def _consecutive_pairs(travelled: np.ndarray, delta: float) -> np.ndarray:
    pairs, start = [], 0
    for index in range(1, len(travelled)):
        if travelled[index] - travelled[start] >= delta:
            pairs.append((start, index))
            start = index
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)
