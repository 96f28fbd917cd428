# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
The similarity between two trajectories, as far as the true one determines it.

Places alone, as Umeyama (PAMI 1991) fits them and evo does, leave the turn about a straight path
free: there, any turn fits as well as the right one, and noise decides; and so it does where a path
is no wider across than the estimate is wrong. Orientations determine it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.geometry.umeyama import fit_points, move

# Fewer places determine no similarity: any two can be brought to any other two.
LEAST_POSES = 3
# Metres, root mean square about the mean place: a camera that moves less stands still, and gives
# no scale.
LEAST_SPREAD = 1e-3
# A path is nearly straight where its second singular value is under this share of the first.
STRAIGHT = 0.1
# How many times as wide across as the error that the fit of places leaves a path has to be, both
# root mean squares, for places to decide the turn about it.
CLEAR = 2.0
# What a fit was made by.
PLACES, POSES = 'places', 'places and orientations'


@dataclass(frozen=True, eq=False)
class PoseFit:
    """
    A similarity from the estimate's world to the true one, and what it was fitted by.

    by: PLACES, or POSES where they leave the turn about the path free; '' where the truth
    determines no similarity, which `reason` then explains. straightness: the second singular value
    of the centred true places as a share of the first, NaN without a path.
    """

    similarity: Similarity
    by: str
    reason: str = ''
    straightness: float = np.nan


def fit_poses(estimate: np.ndarray, truth: np.ndarray) -> PoseFit:
    """
    Fit finite poses (F, 4, 4), world from camera, of the same frames.

    Where the true path is nearly straight, or no wider across than CLEAR times the error that
    places leave, the rotation R is the one that maximises the trace of
    R^T (C + Q): C is the cross-covariance of the places, each set scaled to a spread of 1, and Q
    the mean of true_f estimate_f^T over the frames' rotations, so that places and orientations
    weigh alike. Scale and translation are then the least squares for that rotation.
    """
    if len(truth) < LEAST_POSES:
        reason = f'{len(truth)} poses of both are known; {LEAST_POSES} are the least'
        return PoseFit(Similarity(), '', reason)
    places, true = estimate[:, :3, 3], truth[:, :3, 3]
    centred = true - true.mean(0)
    first, second, _ = np.linalg.svd(centred, compute_uv=False)
    if first / np.sqrt(len(true)) < LEAST_SPREAD:
        return PoseFit(Similarity(), '', 'the true camera does not move, which gives no scale')
    straightness = float(second / first)
    by_places = fit_points(places, true)
    error = np.linalg.norm(move(places, by_places) - true)
    if straightness >= STRAIGHT and second >= CLEAR * error:
        return PoseFit(by_places, PLACES, '', straightness)
    rotation = _rotation(places - places.mean(0), centred, estimate, truth)
    return PoseFit(_with_rotation(places, true, rotation), POSES, '', straightness)


def _rotation(
    places: np.ndarray, true: np.ndarray, estimate: np.ndarray, truth: np.ndarray
) -> np.ndarray:
    spread = np.linalg.norm(places) * np.linalg.norm(true)
    by_places = true.T @ places / spread if spread else np.zeros((3, 3))
    turns = truth[:, :3, :3] @ np.swapaxes(estimate[:, :3, :3], 1, 2)
    u, _, vt = np.linalg.svd(by_places + turns.mean(0))
    return u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt


def _with_rotation(places: np.ndarray, true: np.ndarray, rotation: np.ndarray) -> Similarity:
    """Find scale and translation for a rotation; a scale of 0 says that the two disagree."""
    mean, true_mean = places.mean(0), true.mean(0)
    turned = (places - mean) @ rotation.T
    spread = (turned**2).sum()
    scale = max(0.0, float((turned * (true - true_mean)).sum() / spread)) if spread else 1.0
    return Similarity(scale, rotation, true_mean - scale * rotation @ mean)
