# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rendered scenes whose truth is known, and how far a stream's answers are from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from xstreamvggt_ros.geometry import invert_rigid, rigid, unproject, world_from_camera_points
from xstreamvggt_ros.scores import (
    absolute_error,
    PointProtocol,
    relative_error,
    score_depth,
    score_points,
)
from xstreamvggt_ros.synthetic.held_out import held_out_config, render, Sequence
from xstreamvggt_ros.training import batches, metrics, shards
from xstreamvggt_ros.training.batches import make_batch
from xstreamvggt_ros.training.metrics import SHORTEST_PATH

POINTS = PointProtocol(alignment='sim3', max_points=5_000, neighbours=12)
# Every so many pixels each way give a point.
STRIDE = 4
METRICS = ('AbsRel', 'δ < 1.25', 'ATE %', 'RPE m', 'RPE °', 'Acc m', 'Comp m')
HIGHER_IS_BETTER = ('δ < 1.25',)
# They mean nothing where the camera only turns.
OF_PATHS = ('ATE %', 'RPE m')
# What code_version('exact') leaves out, but makes scenes and figures here.
SOURCES = tuple(Path(module.__file__) for module in (batches, metrics, shards)) + (Path(__file__),)


@dataclass(frozen=True)
class Scene:
    """
    F images (3, H, W) of a scene that no training saw, and what is true of them.

    depth: (F, H, W). poses: camera from world (F, 3, 4). world: points (F, H, W, 3).
    """

    images: Tensor
    depth: Tensor
    poses: Tensor
    world: Tensor

    @classmethod
    def held_out(cls, seed: int, frames: int, size: tuple[int, int]) -> Scene:
        """Render the scene of that seed at that height and width."""
        scene = render(held_out_config(seed, frames))
        batch = make_batch(Sequence(*(part[None] for part in scene.parts())), size)
        images, depth, poses, intrinsics = (part[0] for part in vars(batch).values())
        world = world_from_camera_points(unproject(depth, intrinsics), poses)
        return cls(images, depth, poses, world)

    def score(self, answers) -> dict[str, float]:
        """Score a stream's frames by METRICS."""
        return score(answers, self.depth, self.poses, self.world)


def score(answers, depth, camera_from_world, world) -> dict[str, float]:
    """
    Score a stream's frames by METRICS against depth (F, H, W), poses and points of a scene.

    OF_PATHS are NaN where the true path is shorter than 0.3 m.
    """
    truth = [np.where(each > 0, each, np.nan) for each in depth.numpy()]
    of_depth = score_depth([answer.depth.numpy() for answer in answers], truth).sequence
    estimate = _world_from_camera(torch.stack([answer.camera_from_world for answer in answers]))
    true = _world_from_camera(camera_from_world)
    absolute, relative = absolute_error(estimate, true), relative_error(estimate, true)
    seen = (depth > 0)[:, ::STRIDE, ::STRIDE]
    points = torch.stack([answer.points for answer in answers])[:, ::STRIDE, ::STRIDE][seen]
    true_points = world[:, ::STRIDE, ::STRIDE][seen]
    cloud = score_points(points.numpy(), true_points.numpy(), POINTS)
    moving = absolute.path >= SHORTEST_PATH
    values = (
        of_depth.abs_rel,
        of_depth.delta,
        100 * absolute.translation.rmse / absolute.path if moving else np.nan,
        relative.translation.rmse if moving else np.nan,
        relative.rotation.rmse,
        cloud.accuracy.mean,
        cloud.completeness.mean,
    )
    return dict(zip(METRICS, map(float, values), strict=True))


def _world_from_camera(camera_from_world: torch.Tensor) -> np.ndarray:
    poses = camera_from_world.double().numpy()
    return np.stack([invert_rigid(rigid(pose[:, :3], pose[:, 3])) for pose in poses])
