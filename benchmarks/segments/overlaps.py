# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pixels of the same images in two streams, and robust fits to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.stream import Frame

# Huber's limit between squares and absolute values, as a share of the median depth.
LIMIT = 0.05
ROUNDS = 20
# Every n-th pixel each way is looked at.
STRIDE = 2


@dataclass(frozen=True, eq=False)
class Overlap:
    """The pixels (N,) of some images that both streams trust: depths, and points (N, 3)."""

    new_depth: np.ndarray
    old_depth: np.ndarray
    new_points: np.ndarray
    old_points: np.ndarray

    @classmethod
    def of(cls, new: Sequence[Frame], old: Sequence[Frame]) -> Overlap:
        """Take every STRIDE-th pixel each way of those that both streams trust."""
        pairs = list(zip(new, old, strict=True))
        trusted = [trust(*pair)[::STRIDE, ::STRIDE] for pair in pairs]

        def taken(side: int, name: str) -> np.ndarray:
            maps = [
                getattr(pair[side], name)[::STRIDE, ::STRIDE].double().numpy() for pair in pairs
            ]
            return np.concatenate([each[kept] for each, kept in zip(maps, trusted, strict=True)])

        return cls(taken(0, 'depth'), taken(1, 'depth'), taken(0, 'points'), taken(1, 'points'))


def trust(new: Frame, old: Frame) -> np.ndarray:
    """
    Tell (H, W) which pixels are finite and of the better half by either stream's confidence.

    It is the choice that the guard's alignment makes.
    """
    depths = [frame.depth.double().numpy() for frame in (new, old)]
    sure = np.minimum(new.depth_confidence.numpy(), old.depth_confidence.numpy())
    valid = np.isfinite(depths).all(axis=0) & (np.min(depths, axis=0) > 0) & np.isfinite(sure)
    if not valid.any():
        return valid
    return valid & (sure >= np.median(sure[valid]))


def huber_weights(residuals: np.ndarray, limit: float) -> np.ndarray:
    """Weigh residuals (N,), all >= 0, for least squares to have Huber's loss for its minimum."""
    return np.where(residuals <= limit, 1.0, limit / np.maximum(residuals, limit))


def robust_scale(source: np.ndarray, target: np.ndarray) -> float:
    """
    Find the s > 0 that minimises the sum of Huber(|s source - target|) by reweighting.

    Both (N,), above 0. Begins at the median ratio.
    """
    scale, limit = float(np.median(target / source)), LIMIT * float(np.median(target))
    for _ in range(ROUNDS):
        weights = huber_weights(np.abs(scale * source - target), limit)
        scale = float((weights * source * target).sum() / (weights * source**2).sum())
    return scale


def fit_overlap(overlap: Overlap) -> Similarity:
    """
    Fit a Sim(3) to all pixels: the scale to depths, then rotation and translation to points.

    Each with Huber's loss.
    """
    scale = robust_scale(overlap.new_depth, overlap.old_depth)
    points, limit = scale * overlap.new_points, LIMIT * float(np.median(overlap.old_depth))
    weights = np.ones(len(points))
    for _ in range(ROUNDS):
        centre, target = (
            np.average(each, axis=0, weights=weights) for each in (points, overlap.old_points)
        )
        rotation = Rotation.align_vectors(
            overlap.old_points - target, points - centre, weights=weights
        )[0].as_matrix()
        translation = target - rotation @ centre
        left = points @ rotation.T + translation - overlap.old_points
        weights = huber_weights(np.linalg.norm(left, axis=1), limit)
    return Similarity(scale, rotation, translation)
