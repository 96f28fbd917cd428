# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Paths and clouds of runs beside the truth, in the axes of the first true camera.

Runs are moved by the similarities that scoring found. Where it found none, a run stays in its own
axes and unit, and no truth is beside it.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xstreamvggt_ros.evaluation.record import Record
from xstreamvggt_ros.geometry import invert_rigid
from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.geometry.umeyama import move
from xstreamvggt_ros.scores.trajectory import align_poses

# Cameras drawn in the 3-D view, spread over the path.
CAMERAS = 16
STEPS = 65535
# The view shows what lies between these percentiles of each axis, and some room around.
BOUNDS, ROOM = (1.0, 99.0), 0.15


@dataclass(frozen=True, eq=False)
class Trajectories:
    """
    Places (F, 3), metres, NaN where there is none, of the truth and, by label, of runs.

    Every run keeps its place in the list: one that was not aligned is there as NaN.
    """

    truth: np.ndarray
    estimates: tuple[tuple[str, np.ndarray], ...]


def aligned_paths(runs: Sequence[Record]) -> Trajectories | None:
    """Give the paths of runs on one sequence; None where none was aligned to a true one."""
    aligned = [run for run in runs if 'trajectory' in _placed(run)]
    if not aligned:
        return None
    into = _first_camera(aligned[0])
    truth = _moved(aligned[0].frames().true_poses, into)[:, :3, 3]
    nowhere = np.full_like(truth, np.nan)
    paths = [aligned_poses(run, into)[:, :3, 3] if run in aligned else nowhere for run in runs]
    labels = [run.info['label'] for run in runs]
    return Trajectories(truth, tuple(zip(labels, paths, strict=True)))


def aligned_poses(run: Record, into: np.ndarray) -> np.ndarray:
    """Give a run's poses (F, 4, 4) beside the truth, NaN for those of other streams."""
    frames = run.frames()
    poses = frames.poses_of(frames.main_world)
    return _moved(align_poses(poses, similarity_of(run, 'trajectory')), into)


def similarity_of(run: Record, name: str) -> Similarity:
    """
    Read what a run's 'trajectory' or 'points' were brought to the truth by.

    Both are of one world: where the truth aligns one of them alone, as one without depth does, or
    one of a camera that stands still, the other goes with it. The identity where it aligns none.
    """
    placed = _placed(run)
    if not placed:
        return Similarity()
    found = run.info['alignment'][name if name in placed else placed[0]]
    return Similarity(found['scale'], np.array(found['rotation']), np.array(found['translation']))


def scene(runs: Sequence[Record], points: int) -> dict[str, Any] | None:
    """
    Pack clouds and cameras of runs on one sequence for the view, `points` of each cloud.

    None where frames are independent. aligned: whether runs are beside the truth, which is the
    first layer then; one that could not be brought there is left out. Otherwise each is in the
    axes of its own first camera. A layer's `run` is its place among `runs`, null for the truth.
    """
    known = [run for run in runs if run.info['alignment']]
    if not known:
        return None
    placed = [run for run in known if _placed(run)]
    into, layers = np.eye(4), []
    if placed:
        into = _first_camera(placed[0])
        path = _moved(placed[0].frames().true_poses, into)
        layers.append(('truth', None, _truth_cloud(placed[0], into, points), path))
    for run in placed or known:
        cloud, path = _cloud(run, into, points), aligned_poses(run, into)
        layers.append((run.info['label'], runs.index(run), cloud, path))
    kept = [each for each in layers if len(each[2][0]) or np.isfinite(each[3]).any()]
    low, high = _bounds([cloud[0] for *_, cloud, _ in kept], [path for *_, path in kept])
    return {
        'aligned': bool(placed),
        'low': low.tolist(),
        'high': high.tolist(),
        'layers': [_layer(*each, low, high) for each in kept],
    }


def _placed(run: Record) -> list[str]:
    """Name what of a run the truth aligned."""
    trajectory = run.info['alignment'].get('trajectory', {})
    found = {'trajectory': trajectory.get('by'), 'points': run.metrics.get('points')}
    return [name for name, aligned in found.items() if aligned]


def _first_camera(run: Record) -> np.ndarray:
    """Give what takes the data set's world into the first true camera known."""
    poses = run.frames().true_poses
    known = poses[np.isfinite(poses).all((1, 2))]
    return invert_rigid(known[0]) if len(known) else np.eye(4)


def _moved(poses: np.ndarray, into: np.ndarray) -> np.ndarray:
    return into @ poses


def _cloud(run: Record, into: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    arrays, frames = run.points(), run.frames()
    inside = frames.worlds[arrays.frames] == frames.main_world
    points = move(arrays.points[inside].astype(np.float64), similarity_of(run, 'points'))
    return _drawn(points, arrays.colours[inside], into, count)


def _truth_cloud(run: Record, into: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    arrays = run.points()
    return _drawn(arrays.truths.astype(np.float64), arrays.colours, into, count)


def _drawn(
    points: np.ndarray, colours: np.ndarray, into: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    known = np.flatnonzero(np.isfinite(points).all(1))
    if len(known) > count:
        known = np.sort(np.random.default_rng(0).choice(known, count, replace=False))
    return points[known] @ into[:3, :3].T + into[:3, 3], colours[known]


def _bounds(clouds: list[np.ndarray], paths: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Cover the first cloud that there is, but for strays, and every path."""
    places = [path[:, :3, 3] for path in paths]
    places = [path[np.isfinite(path).all(1)] for path in places]
    cloud = next((cloud for cloud in clouds if len(cloud)), np.zeros((1, 3)))
    edges = np.concatenate([np.percentile(cloud, BOUNDS, axis=0), *places])
    room = ROOM * max((edges.max(0) - edges.min(0)).max(), 1e-3)
    return edges.min(0) - room, edges.max(0) + room


def _layer(name, run, cloud, path, low, high) -> dict[str, Any]:
    points, colours = cloud
    inside = ((points >= low) & (points <= high)).all(1)
    steps = np.round((points[inside] - low) / (high - low) * STEPS).astype('<u2')
    known = path[np.isfinite(path).all((1, 2))]
    shown = known[np.linspace(0, len(known) - 1, min(CAMERAS, len(known))).astype(int)]
    return {
        'name': name,
        'run': run,
        'points': base64.b64encode(steps.tobytes()).decode(),
        'colours': base64.b64encode(colours[inside].tobytes()).decode(),
        'path': np.round(known[:, :3, 3], 4).tolist(),
        'cameras': np.round(shown[:, :3], 4).reshape(len(shown), 12).tolist(),
    }
