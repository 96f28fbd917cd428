# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Clouds against the truth: accuracy, completeness and normal consistency.

Accuracy is the distance of a predicted point from the nearest true one, completeness that of a
true point from the nearest predicted one, metres; normal consistency the absolute cosine between
the normals of such pairs, averaged over both ways. The protocol on 7-Scenes and Neural-RGBD aligns
the cloud first, by the similarity between the points that the same pixels gave, then by
point-to-point ICP within 0.1 m.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.geometry.umeyama import fit_points, move

ALIGNMENTS = ('sim3+icp', 'sim3', 'icp', 'none')
ROUNDS = 30
# It moves the whole cloud by what every n-th point says, beyond so many.
ICP_POINTS = 50_000
# ICP ends when its distances change by less than this share.
SETTLED = 1e-6
# Normals are computed for so many points at a time.
CHUNK = 50_000


@dataclass(frozen=True)
class PointProtocol:
    """
    Say how clouds are compared.

    alignment: one of ALIGNMENTS; sim3 needs points given pixel by pixel. icp_distance: metres,
    pairs farther apart are no pairs. max_points: of each cloud, drawn at random by `seed` where
    there are more. neighbours: points that a normal's plane is laid through.
    """

    alignment: str = 'sim3+icp'
    icp_distance: float = 0.1
    max_points: int = 200_000
    neighbours: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what makes no protocol."""
        if self.alignment not in ALIGNMENTS:
            raise ValueError(
                f'alignment is {self.alignment!r}; use one of: {", ".join(ALIGNMENTS)}'
            )
        if self.icp_distance <= 0 or self.max_points < 1 or self.neighbours < 3:
            raise ValueError(
                f'icp_distance is {self.icp_distance}, max_points {self.max_points}, neighbours '
                f'{self.neighbours}; give more than 0, 0 and 2'
            )


@dataclass(frozen=True)
class MeanMedian:
    """Mean and median of a figure; NaN where there are no points."""

    mean: float
    median: float

    @classmethod
    def of(cls, values: np.ndarray) -> MeanMedian:
        """Summarise values (N,)."""
        if not len(values):
            return cls(np.nan, np.nan)
        return cls(float(values.mean()), float(np.median(values)))


@dataclass(frozen=True, eq=False)
class PointScore:
    """
    accuracy and completeness, metres, normal_consistency in [0, 1], and how they were got.

    similarity: what the prediction was moved by; predicted, true: how many points were compared.
    """

    accuracy: MeanMedian
    completeness: MeanMedian
    normal_consistency: MeanMedian
    similarity: Similarity
    predicted: int
    true: int


def score_points(
    predicted: np.ndarray,
    true: np.ndarray,
    protocol: PointProtocol | None = None,
    pairs: tuple[np.ndarray, np.ndarray] | None = None,
) -> PointScore:
    """
    Compare clouds (N, 3) and (M, 3); points that are not finite are left out.

    pairs: predicted and true points (P, 3) of the same pixels, for the similarity; the clouds
    themselves where they are as long as each other. Same seed, same figures.
    """
    protocol = protocol or PointProtocol()
    similarity = Similarity()
    if protocol.alignment.startswith('sim3'):
        similarity = _fit_pairs(*(pairs or (predicted, true)), protocol)
    rng = np.random.default_rng(protocol.seed)
    predicted, true = (_drawn(points, protocol.max_points, rng) for points in (predicted, true))
    if not len(predicted) or not len(true):
        none = MeanMedian(np.nan, np.nan)
        return PointScore(none, none, none, similarity, len(predicted), len(true))
    tree = cKDTree(true)
    if protocol.alignment.endswith('icp'):
        similarity = refine(predicted, tree, similarity, protocol.icp_distance)
    moved = move(predicted, similarity)
    own = cKDTree(moved)
    accuracy, nearest_true = tree.query(moved)
    completeness, nearest_predicted = own.query(true)
    normals, true_normals = (normals_of(each, protocol.neighbours) for each in (own, tree))
    ways = [
        MeanMedian.of(np.abs((first * second).sum(1)))
        for first, second in (
            (normals, true_normals[nearest_true]),
            (true_normals, normals[nearest_predicted]),
        )
    ]
    return PointScore(
        MeanMedian.of(accuracy),
        MeanMedian.of(completeness),
        MeanMedian(np.mean([way.mean for way in ways]), np.mean([way.median for way in ways])),
        similarity,
        len(predicted),
        len(true),
    )


def refine(points: np.ndarray, tree: cKDTree, start: Similarity, distance: float) -> Similarity:
    """Bring points (N, 3) nearer to those of the tree, rigidly, from `start` on (ICP)."""
    points = points[:: -(-len(points) // ICP_POINTS)]
    similarity, before = start, np.inf
    for _ in range(ROUNDS):
        moved = move(points, similarity)
        gaps, nearest = tree.query(moved, distance_upper_bound=distance)
        near = np.isfinite(gaps)
        if near.sum() < 3:
            break
        step = fit_points(moved[near], tree.data[nearest[near]], 'se3')
        similarity = _after(step, similarity)
        now = float(np.sqrt((gaps[near] ** 2).mean()))
        if abs(before - now) <= SETTLED * max(now, np.finfo(float).tiny):
            break
        before = now
    return similarity


def normals_of(tree: cKDTree, neighbours: int) -> np.ndarray:
    """
    Give unit normals (N, 3), of either sign, of planes through each point's neighbours.

    NaN for a cloud of fewer than three points.
    """
    points = tree.data
    count = min(neighbours, len(points))
    if count < 3:
        return np.full(points.shape, np.nan)
    normals = np.empty(points.shape)
    for begin in range(0, len(points), CHUNK):
        _, near = tree.query(points[begin : begin + CHUNK], k=count)
        around = points[near] - points[near].mean(axis=1, keepdims=True)
        # Eigenvalues ascend: the first vector is across the plane.
        _, vectors = np.linalg.eigh(np.swapaxes(around, 1, 2) @ around)
        normals[begin : begin + CHUNK] = vectors[:, :, 0]
    return normals


def _fit_pairs(predicted, true, protocol: PointProtocol) -> Similarity:
    if predicted.shape != true.shape:
        raise ValueError(
            f'clouds {predicted.shape} and {true.shape} are not point by point; give `pairs`, or '
            'an alignment without sim3'
        )
    finite = np.isfinite(predicted).all(1) & np.isfinite(true).all(1)
    if not finite.any():
        return Similarity()
    return fit_points(predicted[finite], true[finite], 'sim3')


def _drawn(points: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    points = np.asarray(points, dtype=np.float64)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) <= most:
        return points
    return points[np.sort(rng.choice(len(points), most, replace=False))]


def _after(second: Similarity, first: Similarity) -> Similarity:
    """Give the similarity that does `first`, then `second`."""
    return Similarity(
        second.scale * first.scale,
        second.rotation @ first.rotation,
        move(first.translation, second),
    )
