# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of merit: depth up to scale, trajectories up to a similarity, fields of view."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from xstreamvggt_ros.geometry.umeyama import fit_points, move
from xstreamvggt_ros.scores.depth_sums import DepthSums, median_scale

# Below this length, in metres, a path is a rotation and has no shape to compare.
SHORTEST_PATH = 0.3


def depth_errors(prediction: Tensor, truth: Tensor) -> tuple[float, float]:
    """
    Return AbsRel and the share of pixels within a factor of 1.25 (delta < 1.25).

    prediction, truth: depth (F, H, W), truth 0 where unknown. One scale for the whole sequence
    makes the medians agree.
    """
    valid = truth > 0
    values, true = (maps[valid].double().cpu().numpy() for maps in (prediction, truth))
    sums = DepthSums()
    sums.add(values * median_scale(values, true), true)
    score = sums.score()
    return score.abs_rel, score.delta


def trajectory_error(prediction: Tensor, truth: Tensor) -> float | None:
    """
    Return the ATE as a share of the path, after alignment by a similarity (Umeyama 1991).

    prediction, truth: camera_from_world (F, 3, 4). None where the true path is shorter than
    0.3 m or has fewer than three frames.
    """
    estimated, true = (_positions(poses) for poses in (prediction, truth))
    path = float(np.linalg.norm(np.diff(true, axis=0), axis=1).sum())
    if path < SHORTEST_PATH or len(true) < 3:
        return None
    residual = move(estimated, fit_points(estimated, true)) - true
    return float(np.sqrt((residual**2).sum(1).mean())) / path


def rotation_error(prediction: Tensor, truth: Tensor) -> float:
    """
    Return the mean angle, degrees, between rotations relative to the first frame.

    The mean is over the other frames: the first one's error is 0 by definition.
    """
    estimated, true = (
        (poses[:, :, :3] @ poses[:1, :, :3].mT).double() for poses in (prediction, truth)
    )
    # The chord resolves small angles that the arc cosine of the trace does not.
    chord = (estimated - true).flatten(1).norm(dim=1) / 8**0.5
    return float(torch.rad2deg(2 * torch.asin(chord[1:].clamp(max=1))).mean())


def field_of_view_error(prediction: Tensor, truth: Tensor) -> float:
    """Return the mean absolute error, degrees, of fields of view in radians of one shape."""
    return float(torch.rad2deg((prediction - truth).abs()).mean())


def _positions(camera_from_world: Tensor) -> np.ndarray:
    rotation, translation = camera_from_world[:, :, :3], camera_from_world[:, :, 3:]
    return -(rotation.mT @ translation)[..., 0].double().cpu().numpy()
