# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The similarity or rigid motion between two lists of points (Umeyama, PAMI 1991)."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.geometry.similarity import Similarity

ALIGNMENTS = ('sim3', 'se3', 'none')


def fit_points(source: np.ndarray, target: np.ndarray, alignment: str = 'sim3') -> Similarity:
    """
    Find what brings points (N, 3) nearest to target (N, 3) in the least squares.

    alignment: 'sim3', 'se3' (scale 1) or 'none' (the identity). Where the points do not determine
    it (on a line, say), one of the best; where the source is a single place, its scale is 1.
    ValueError: no points, or another alignment.
    """
    if alignment not in ALIGNMENTS:
        raise ValueError(f'alignment is {alignment!r}; use one of: {", ".join(ALIGNMENTS)}')
    if source.shape != target.shape or not len(source):
        raise ValueError(
            f'points {source.shape} and {target.shape}: give as many of both, above 0'
        )
    if alignment == 'none':
        return Similarity()
    source, target = source.astype(np.float64), target.astype(np.float64)
    source_mean, target_mean = source.mean(0), target.mean(0)
    centred = source - source_mean
    spread = (centred**2).sum()
    u, singular, vt = np.linalg.svd((target - target_mean).T @ centred)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ np.diag(signs) @ vt
    scale = (singular * signs).sum() / spread if alignment == 'sim3' and spread > 0 else 1.0
    return Similarity(scale, rotation, target_mean - scale * rotation @ source_mean)


def move(points: np.ndarray, similarity: Similarity) -> np.ndarray:
    """Take points (..., 3) through a similarity."""
    return similarity.scale * (points @ similarity.rotation.T) + similarity.translation
