# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A finished run frame by frame, brought to the truth's place and scale where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from xstreamvggt_ros.evaluation.arrays import thinned_intrinsics
from xstreamvggt_ros.evaluation.record import Record
from xstreamvggt_ros.evaluation.report.views import aligned_poses, similarity_of
from xstreamvggt_ros.geometry.umeyama import move


@dataclass(frozen=True, eq=False)
class ShownFrame:
    """
    One frame in the data set's world, metres; None or empty where there is nothing.

    pose, true_pose: (4, 4) world from optical frame. intrinsics: (3, 3) of depth (h, w) float32.
    picture: JPEG. points: (N, 3) float32 with colours (N, 3) uint8. latency_ms, abs_rel: NaN
    where not known.
    """

    index: int
    stamp_ns: int
    pose: np.ndarray | None
    true_pose: np.ndarray | None
    intrinsics: np.ndarray
    depth: np.ndarray
    true_depth: np.ndarray
    picture: bytes
    points: np.ndarray
    colours: np.ndarray
    latency_ms: float
    abs_rel: float


def shown_frames(record: Record) -> Iterator[ShownFrame]:
    """Give the frames that there is an estimate of, in order."""
    frames, depth, points = record.frames(), record.depth(), record.points()
    aligned = bool(record.info['alignment'])
    poses = aligned_poses(record, np.eye(4)) if aligned else np.full_like(frames.poses, np.nan)
    scale = similarity_of(record, 'trajectory').scale if aligned else 1.0
    moved = points.points
    if aligned:
        moved = move(points.points.astype(np.float64), similarity_of(record, 'points'))
    curves, world = record.info['curves'], frames.main_world
    for index in np.flatnonzero(frames.statuses == 'done').tolist():
        mine = (points.frames == index) & (aligned and frames.worlds[index] == world)
        picture = record.picture(index)
        yield ShownFrame(
            index,
            int(frames.stamps_ns[index]),
            _finite(poses[index]),
            _finite(frames.true_poses[index]),
            thinned_intrinsics(frames.intrinsics[index], int(depth.stride)),
            (scale * depth.estimates[index]).astype(np.float32),
            depth.truths[index],
            picture.read_bytes() if picture else b'',
            moved[mine].astype(np.float32),
            points.colours[mine],
            _number(curves['latency_ms'][index]),
            _number(curves['abs_rel'][index]),
        )


def _finite(pose: np.ndarray) -> np.ndarray | None:
    return pose if np.isfinite(pose).all() else None


def _number(value: float | None) -> float:
    return np.nan if value is None else value
