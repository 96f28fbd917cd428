# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How near a run came to the truth, where the input knows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.demo.results import Results
from xstreamvggt_ros.files.trajectories import Trajectory
from xstreamvggt_ros.geometry import invert_rigid, MAP_FROM_WORLD_ROTATION, rigid
from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.images.patches import PATCH_SIZE
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.inputs import frames_at, ImageSequence, SequenceFrame
from xstreamvggt_ros.pipeline.reconstruction import nearest
from xstreamvggt_ros.scores import absolute_error, score_depth


@dataclass(frozen=True, eq=False)
class Accuracy:
    """
    Hold what a comparison with the truth gives; NaN where the truth is not known.

    map_from_world: (4, 4) rigid, takes the true world to a map whose origin is the first camera
    with a known pose.
    true_path: (F, 3) in that map, metres. similarity: takes the estimate's map to it, None where
    nothing determines one, as `reason` explains; aligned_by: what it was fitted by. ate: root mean
    square over the length of the true path. abs_rel: of the pixels of `images` images, times
    depth_scale, the one factor that brings their median to the true one.
    """

    map_from_world: np.ndarray
    true_path: np.ndarray
    similarity: Similarity | None = None
    ate: float = np.nan
    path_length: float = np.nan
    abs_rel: float = np.nan
    images: int = 0
    aligned_by: str = ''
    reason: str = ''
    depth_scale: float = np.nan


def measure(
    sequence: ImageSequence, results: Results, axes: str, distorted: bool = False
) -> Accuracy | None:
    """
    Compare a run with the truth, as far as the input has one; None where it has no poses.

    `axes` is `output.world_axes`. The depth of `distorted` images is not compared, because theirs
    was undistorted.
    """
    stamps = [int(stamp) for stamp in results.trajectory.stamps_ns]
    poses = {
        frame.stamp_ns: pose
        for frame in frames_at(sequence, stamps)
        if (pose := frame.pose()) is not None
    }
    if not poses:
        return None
    turn = rigid(MAP_FROM_WORLD_ROTATION[axes], np.zeros(3))
    map_from_world = turn @ invert_rigid(poses[min(poses)])
    truth = np.full((len(stamps), 4, 4), np.nan)
    for index, stamp in enumerate(stamps):
        if stamp in poses:
            truth[index] = map_from_world @ poses[stamp]
    path = truth[np.isfinite(truth).all((1, 2)), :3, 3]
    frames = [] if distorted else frames_at(sequence, results.maps)
    abs_rel, images, depth_scale = _depth_error(results, frames)
    error = absolute_error(_poses(results.trajectory), truth)
    found = Accuracy(
        map_from_world,
        path,
        abs_rel=abs_rel,
        images=images,
        aligned_by=error.aligned_by,
        reason=error.reason,
        depth_scale=depth_scale,
    )
    if not error.aligned_by:
        return found
    ate = error.translation.rmse / error.path
    return replace(found, similarity=error.similarity, ate=ate, path_length=error.path)


def _poses(trajectory: Trajectory) -> np.ndarray:
    """Give poses (F, 4, 4) of a trajectory."""
    turns = Rotation.from_quat(trajectory.quaternions).as_matrix()
    poses = np.tile(np.eye(4), (len(turns), 1, 1))
    poses[:, :3, :3], poses[:, :3, 3] = turns, trajectory.positions
    return poses


def _depth_error(results: Results, frames: Iterable[SequenceFrame]) -> tuple[float, int, float]:
    """Give AbsRel, of how many images, and the factor that their depth was scaled by."""
    estimates, truths = [], []
    for frame in frames:
        depth = frame.truth().depth
        if depth is None:
            continue
        estimate = results.maps[frame.stamp_ns].depth
        truth = _at_size(depth, estimate.shape)
        if truth is not None:
            estimates.append(estimate)
            truths.append(truth)
    scores = score_depth(estimates, truths)
    scale = float(scores.scale[0]) if len(truths) else np.nan
    return scores.sequence.abs_rel, len(truths), scale


def _at_size(depth: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """Bring true depth to the network's pixels; None where they are not of the same image."""
    if shape[1] % PATCH_SIZE:
        return None
    plan = Preprocessing.plan(*depth.shape, shape[1])
    return nearest(depth, plan) if plan.size == shape else None
