# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a replay's results to the arrays of a record, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
import io

import numpy as np
from PIL import Image
import torch

from xstreamvggt_ros.evaluation.arrays import (
    depth_stride,
    DepthArrays,
    FrameArrays,
    PointArrays,
)
from xstreamvggt_ros.evaluation.jsonable import printable
from xstreamvggt_ros.evaluation.results import Estimate, FrameResult
from xstreamvggt_ros.evaluation.truth import AlignedTruth
from xstreamvggt_ros.geometry import unproject

# Points of a whole run, shared evenly among its frames.
MOST_POINTS = 200_000
# What the pictures of a run may take, compressed, before every other one is let go.
PICTURE_BYTES = 64 * 2**20
JPEG_QUALITY = 88
NO_POSE = np.full((4, 4), np.nan)
NO_INTRINSICS = np.full((3, 3), np.nan)


@dataclass(frozen=True, eq=False)
class Collected:
    """A run's arrays, and JPEG pictures of (some of) its frames by index."""

    frames: FrameArrays
    depth: DepthArrays
    points: PointArrays
    pictures: dict[int, bytes] = field(default_factory=dict)


def collect(results: Iterable[FrameResult], frames: int, depth_mib: float) -> Collected:
    """Keep of `frames` results what a record holds; depth maps take up to `depth_mib` MiB."""
    collector = _Collector(frames, depth_mib)
    for result in results:
        collector.take(result)
    return collector.collected()


class _Collector:
    """Take one result after another."""

    def __init__(self, frames: int, depth_mib: float) -> None:
        self._count = frames
        self._most_bytes = depth_mib * 2**20
        self._results: list[dict] = []
        self._stride = 1
        self._shape: tuple[int, int] | None = None
        self._estimates = self._truths = np.empty((frames, 0, 0), np.float32)
        self._points: list[tuple[np.ndarray, ...]] = []
        self._pictures: dict[int, bytes] = {}
        self._picture_step = 1
        self._random = np.random.default_rng(0)

    def take(self, result: FrameResult) -> None:
        """Keep a frame's part."""
        self._results.append(_row(result))
        estimate = result.estimate
        if estimate is None:
            return
        self._keep_depth(result.index, estimate.depth, result.truth.depth)
        self._keep_points(result.index, estimate, result.truth)
        self._keep_picture(result.index, estimate.picture)

    def collected(self) -> Collected:
        names = [each.name for each in fields(FrameArrays)]
        columns = {name: np.array([row[name] for row in self._results]) for name in names}
        columns['worlds'] = columns['worlds'].astype(np.int32)
        parts = [np.concatenate(part) for part in zip(*self._points, strict=True)]
        return Collected(
            FrameArrays(**columns),
            DepthArrays(self._estimates, self._truths, np.array(self._stride)),
            PointArrays(*(parts or _no_points())),
            self._pictures,
        )

    def _keep_depth(self, index: int, depth: np.ndarray, truth: np.ndarray | None) -> None:
        if self._shape is None:
            self._shape = depth.shape
            self._stride = depth_stride(self._count, *depth.shape, self._most_bytes)
            small = self._thinned(depth).shape
            self._estimates = np.full((self._count, *small), np.nan, np.float32)
            self._truths = np.full((self._count, *small), np.nan, np.float32)
        if depth.shape != self._shape:
            # Another size is another stream; one run is scored at one size.
            return
        self._estimates[index] = self._thinned(depth)
        if truth is not None:
            self._truths[index] = self._thinned(truth)

    def _thinned(self, values: np.ndarray) -> np.ndarray:
        return values[self._stride // 2 :: self._stride, self._stride // 2 :: self._stride]

    def _keep_points(self, index: int, estimate: Estimate, truth: AlignedTruth) -> None:
        points = estimate.points
        if points is None:
            points = lifted(estimate.depth, estimate.intrinsics, estimate.world_from_camera)
        truths = np.full_like(points, np.nan)
        if not any(
            part is None for part in (truth.depth, truth.intrinsics, truth.world_from_camera)
        ):
            truths = lifted(truth.depth, truth.intrinsics, truth.world_from_camera)
        usable = np.isfinite(points).all(-1)
        known = usable & np.isfinite(truths).all(-1)
        candidates = np.flatnonzero(known if known.any() else usable)
        wanted = max(1, MOST_POINTS // self._count)
        if len(candidates) > wanted:
            candidates = self._random.choice(candidates, wanted, replace=False)
        self._points.append(
            (
                points.reshape(-1, 3)[candidates],
                truths.reshape(-1, 3)[candidates],
                estimate.picture.reshape(-1, 3)[candidates],
                estimate.confidence.reshape(-1)[candidates],
                np.full(len(candidates), index, np.int32),
            )
        )

    def _keep_picture(self, index: int, picture: np.ndarray) -> None:
        if index % self._picture_step:
            return
        file = io.BytesIO()
        Image.fromarray(picture).save(file, 'JPEG', quality=JPEG_QUALITY)
        self._pictures[index] = file.getvalue()
        while sum(map(len, self._pictures.values())) > PICTURE_BYTES:
            self._picture_step *= 2
            kept = {i: data for i, data in self._pictures.items() if not i % self._picture_step}
            self._pictures = kept


def lifted(depth: np.ndarray, intrinsics: np.ndarray, world_from_camera: np.ndarray) -> np.ndarray:
    """Lift depth (H, W) to points (H, W, 3) float32 in the world, NaN where depth is."""
    points = unproject(
        torch.from_numpy(np.ascontiguousarray(depth, dtype=np.float64)),
        torch.from_numpy(np.ascontiguousarray(intrinsics, dtype=np.float64)),
    ).numpy()
    world = points @ world_from_camera[:3, :3].T + world_from_camera[:3, 3]
    return world.astype(np.float32)


def _row(result: FrameResult) -> dict:
    estimate, truth, cost = result.estimate, result.truth, result.cost
    return {
        'stamps_ns': result.frame.stamp_ns,
        'names': printable(result.frame.name),
        'statuses': result.status,
        'reasons': printable(result.reason),
        'verdicts': estimate.verdict if estimate else '',
        'worlds': estimate.world if estimate else -1,
        'poses': estimate.world_from_camera if estimate else NO_POSE,
        'true_poses': NO_POSE if truth.world_from_camera is None else truth.world_from_camera,
        'intrinsics': estimate.intrinsics if estimate else NO_INTRINSICS,
        'true_intrinsics': NO_INTRINSICS if truth.intrinsics is None else truth.intrinsics,
        'latency_s': cost.latency_s,
        'cpu_s': cost.cpu_s,
        'cache_tokens': cost.cache_tokens,
        'cache_evicted': cost.cache_evicted,
        'cache_bytes': cost.cache_bytes,
        'resident_bytes': cost.resident_bytes,
        'device_bytes': cost.device_bytes,
    }


def _no_points() -> tuple[np.ndarray, ...]:
    return (
        np.empty((0, 3), np.float32),
        np.empty((0, 3), np.float32),
        np.empty((0, 3), np.uint8),
        np.empty(0, np.float32),
        np.empty(0, np.int32),
    )
