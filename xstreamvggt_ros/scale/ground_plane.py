# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground under a camera, found in its points; no ROS."""

from __future__ import annotations

import numpy as np

# Points tried, and planes through three of them: 200 find a plane that a third of the points lie
# on with a chance of missing it below 0.1 %.
POINTS = 2000
PLANES = 200
# Distance to the plane of a point on it, as a share of the camera's height above it.
TOLERANCE = 0.03
# Share of the points below the camera that must lie on the ground.
SUPPORT = 0.3
# Points under the ground, as a share of those on it, that may be errors.
UNDERGROUND = 0.3
# The camera stands upright within this angle, degrees.
TILT = 40.0
REFINEMENTS = 3


def camera_height_above_ground(points: np.ndarray, rng: np.random.Generator) -> float | None:
    """
    Measure how high a camera is above the ground that it sees, in the points' unit.

    points (N, 3) in the camera's optical frame (y down), NaN ignored. Ground is the plane that
    most of the points below the camera lie on and fewest lie under, among those whose normal is
    within 40 degrees of the camera's y axis (RANSAC, Fischler and Bolles 1981), then fitted to its
    points by least squares. None where no such plane holds 30 % of them.
    """
    below = points[np.isfinite(points).all(axis=-1) & (points[..., 1] > 0)]
    if len(below) < 3:
        return None
    below = below[rng.integers(len(below), size=POINTS)].astype(np.float64)
    normal, height = _best_plane(below, rng)
    for _ in range(REFINEMENTS):
        over = below @ normal - height
        on_plane = np.abs(over) < TOLERANCE * height
        under = over >= TOLERANCE * height
        if on_plane.mean() < SUPPORT or under.mean() > UNDERGROUND * on_plane.mean():
            return None
        normal, height = _fit(below[on_plane])
    upright = normal[1] >= np.cos(np.radians(TILT))
    return float(height) if upright and height > 0 else None


def _best_plane(points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Try planes through three points each; return normal (3,), downward, and its distance."""
    corners = points[rng.integers(len(points), size=(PLANES, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normals, axis=1)
    normals /= np.where(length > 0, length, 1)[:, None]
    normals *= np.where(normals[:, 1] < 0, -1, 1)[:, None]
    heights = (normals * corners[:, 0]).sum(axis=1)
    over = points @ normals.T - heights
    votes = (np.abs(over) < TOLERANCE * heights).sum(axis=0)
    votes -= (over >= TOLERANCE * heights).sum(axis=0)
    upright = (normals[:, 1] >= np.cos(np.radians(TILT))) & (heights > 0)
    best = np.where(upright, votes, -len(points) - 1).argmax()
    return normals[best], heights[best]


def _fit(points: np.ndarray) -> tuple[np.ndarray, float]:
    centre = points.mean(axis=0)
    normal = np.linalg.svd(points - centre, full_matrices=False)[2][2]
    normal = -normal if normal[1] < 0 else normal
    return normal, normal @ centre
