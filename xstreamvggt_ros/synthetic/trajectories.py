# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plans the camera's way through a scene: clear of everything and with something to see."""

from __future__ import annotations

import numpy as np
import torch

from xstreamvggt_ros.synthetic.free_space import CLEARANCE, FreeSpace, resample
from xstreamvggt_ros.synthetic.motion import run_along, STEP, Style, STYLES
from xstreamvggt_ros.synthetic.ray_casting import cast_rays, TILE
from xstreamvggt_ros.synthetic.scene import Scene

ATTEMPTS = 16
# Every so often a camera may look at bare walls, as real ones do.
CAREFREE = 0.1


class NoFreePlace(RuntimeError):
    """A scene is too cluttered for its camera; the next seed is as good."""


def plan_trajectory(
    scene: Scene, motion: str, frames: int, speed: float, rng: np.random.Generator
) -> np.ndarray:
    """
    Return camera_from_world (F, 3, 4), float64, of a camera that keeps 0.3 m off everything.

    `motion` names a style. Raises NoFreePlace if the scene has no free way.
    """
    style, outdoors = STYLES[motion], scene.sky is not None
    pace = style.pace[outdoors] * speed * rng.uniform(0.6, 1.3)
    carefree, second_best = rng.random() < CAREFREE, None
    for _ in range(ATTEMPTS):
        space = FreeSpace(scene, _heights(motion, style, scene, rng), rng)
        points = _waypoints(space, pace * frames, (2.0, 12.0) if outdoors else (0.5, 3.5))
        poses = None
        if points is not None:
            poses = _try_path(scene, space, style, points, frames, pace, speed, rng)
        if poses is not None and (carefree or _worth_seeing(scene, poses)):
            return poses
        second_best = poses if second_best is None else second_best
    if second_best is None:
        raise NoFreePlace(f'no way for {motion} motion through this scene: lower clutter')
    return second_best


def _heights(motion, style, scene, rng) -> tuple[float, float]:
    """Draw the heights that one camera keeps between."""
    low, high = style.heights
    if motion == 'driving':
        low = high = rng.uniform(low, 0.8 if scene.sky is None else high)
    elif motion == 'handheld':
        low, high = np.sort(np.clip(rng.uniform(low, high) + rng.normal(0, 0.06, 2), low, high))
    return low, high


def _waypoints(space: FreeSpace, length: float, hop) -> np.ndarray | None:
    """Return waypoints for about that length, or None where there is not half as much room."""
    start = space.start()
    if start is None or length == 0:
        return None if start is None else start[None]
    points = space.walk(start, 1.2 * length, hop)
    done = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    return points if done > 0.5 * length else None


def _try_path(scene, space, style: Style, points, frames, pace, speed, rng):
    """Run along the waypoints, rounded as far as that stays clear; None if nothing does."""
    for smoothing in (1.0, 0.4, 0.1, 0.0):
        path = resample(points, STEP, smoothing) if len(points) > 1 else points
        aims = _aims(scene, space, style, path, frames, 30 / speed, rng)
        places, angles = run_along(path, style, aims, pace, speed, rng)
        if space.clearance(places).min() >= CLEARANCE:
            return extrinsics(space.world(places), angles)
    return None


def _aims(scene, space, style, path, frames, period, rng):
    """Return for every frame a place to look at, or None to look ahead."""
    aims = []
    while len(aims) < frames:
        looks_ahead = rng.random() < style.forward
        aim = None if looks_ahead else _interest(scene, space, path, rng)
        aims += [aim] * max(1, int(period * rng.uniform(0.5, 1.6)))
    return aims[:frames]


def _interest(scene, space, path, rng) -> np.ndarray:
    """Choose something to look at, rather not something close; height above the ground."""
    picks = scene.interests[rng.integers(len(scene.interests), size=6)].copy()
    picks[:, 2] -= space.world(picks * [1, 1, 0])[:, 2]
    away = np.linalg.norm(picks - path[len(path) // 2], axis=1)
    return picks[np.abs(np.log(away / 3.0)).argsort()[rng.integers(3)]]


def _worth_seeing(scene: Scene, poses: np.ndarray) -> bool:
    """Tell whether most of some frames show more than one close surface."""
    some = poses[np.linspace(0, len(poses) - 1, 5).astype(int)]
    some = torch.tensor(some, dtype=torch.float32, device=scene.device)
    # One tile of rays over about 70 degrees.
    matrix = torch.tensor([[TILE * 0.7, 0, TILE / 2], [0, TILE * 0.7, TILE / 2], [0, 0, 1]])
    matrix = matrix.to(scene.device).expand(len(some), 3, 3)
    depth = cast_rays(scene.primitives, some, matrix, TILE, TILE).depth.flatten(1)
    near, middle, far = depth.clamp_max(100).quantile(
        torch.tensor([0.1, 0.5, 0.9], device=scene.device), dim=1
    )
    good = (middle > 0.9) & (far > 1.6 * near)
    return bool(good.float().mean() > 0.7)


def extrinsics(positions: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Return camera_from_world (F, 3, 4) from positions and yaw, pitch, roll (F, 3), radians."""
    yaw, pitch, roll = angles.T
    zero, level = np.zeros_like(yaw), np.cos(pitch)
    forward = np.stack((level * np.cos(yaw), level * np.sin(yaw), np.sin(pitch)), 1)
    right = np.stack((np.sin(yaw), -np.cos(yaw), zero), 1)
    down = np.cross(forward, right)
    c, s = np.cos(roll)[:, None], np.sin(roll)[:, None]
    rotation = np.stack((c * right + s * down, c * down - s * right, forward), 1)
    return np.concatenate((rotation, -(rotation @ positions[:, :, None])), 2)
