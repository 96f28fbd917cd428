# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run leaves behind: trajectory, cloud, and a sheet gathered from input and results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xstreamvggt_ros.demo.accuracy import Accuracy
from xstreamvggt_ros.demo.contact_sheet import Column, Sheet
from xstreamvggt_ros.demo.recognition import doubts
from xstreamvggt_ros.demo.results import Results
from xstreamvggt_ros.demo.run import DemoRun
from xstreamvggt_ros.demo.top_view import TopView
from xstreamvggt_ros.files.ply import PlyCloud, write_ply
from xstreamvggt_ros.files.trajectories import write_tum
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.geometry.umeyama import move
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.inputs import (
    DamagedFrame,
    frames_at,
    FrameTruth,
    ImageSequence,
    SequenceFrame,
)

UP_TO_SCALE = 'm, up to scale'
RANDOM_WEIGHTS = (
    'RANDOM WEIGHTS: this shows that the pipeline runs, not what the network can do. '
    'Depth, path and cloud mean nothing.'
)


def weights_warning(run: DemoRun) -> str:
    """Say in one line that the node ran on weights that mean nothing, if it says so."""
    return RANDOM_WEIGHTS if run.diagnostics.get('weights') == 'random' else ''


@dataclass(frozen=True, eq=False)
class Shown:
    """A frame to look at: `image` (H, W, 3) uint8 RGB, None where it cannot be shown."""

    stamp_ns: int
    image: np.ndarray | None
    truth: FrameTruth

    @classmethod
    def of_frame(cls, frame: SequenceFrame) -> Shown:
        """Decode a frame again."""
        try:
            image = frame.image()
        except DamagedFrame:
            image = None
        if image is not None and image.dtype != np.uint8:
            image = np.round(image * 255).astype(np.uint8)
        return cls(frame.stamp_ns, image, frame.truth())


def write_results(results: Results, folder: Path) -> None:
    """Write trajectory and cloud, each where there is something in it."""
    trajectory, cloud = folder / 'trajectory.tum', folder / 'cloud.ply'
    if len(results.trajectory):
        write_tum(trajectory, results.trajectory)
    if len(results.cloud):
        write_ply(cloud, results.cloud)


def gather_sheet(
    sequence: ImageSequence, run: DemoRun, results: Results, accuracy: Accuracy | None = None
) -> Sheet:
    """Read the sampled images again and put beside them what came of them, and the truth."""
    shown = [Shown.of_frame(frame) for frame in frames_at(sequence, results.maps)]
    ordered = sorted(run.published_ns)
    axes = run.parameters['output.world_axes']
    scale = accuracy.depth_scale if accuracy else np.nan
    scaled = bool(np.isfinite(scale))
    return Sheet(
        title=_title(sequence.name, run, results),
        subtitle=f'{_subtitle(run, results)}\n{_errors(accuracy)}',
        warning=weights_warning(run) or '; '.join(doubts(results)),
        columns=[_column(each, results, ordered, scale if scaled else 1.0) for each in shown],
        top_views=[
            _estimated_view(results, accuracy, axes),
            *([_true_view(shown, accuracy, axes)] if accuracy else []),
        ],
        depth_unit='m' if scaled else UP_TO_SCALE,
        aligned=accuracy is not None and accuracy.similarity is not None,
    )


def _title(name: str, run: DemoRun, results: Results) -> str:
    """Say how many images, how many of the input's were passed over, and how long it took."""
    stamps = results.trajectory.stamps_ns
    seconds = (stamps[-1] - stamps[0]) / NANOSECONDS if len(stamps) else 0.0
    every = f', every {_ordinal(run.stride)} of the input' if run.stride > 1 else ''
    return f'{name}: {len(stamps)} images{every}, spanning {seconds:.1f} s, one by one'


def _ordinal(number: int) -> str:
    ending = {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')
    return f'{number}{"th" if number % 100 in (11, 12, 13) else ending}'


def _subtitle(run: DemoRun, results: Results) -> str:
    budget = run.diagnostics.get('cache_budget_tokens', '')
    cache = f', cache of {int(budget):,} tokens a layer' if budget.isdecimal() else ''
    return (
        f'StreamVGGT, preset {run.parameters["model.preset"]}{cache}. '
        f'{len(results.cloud):,} points. Time runs from left to right.'
    )


def _errors(accuracy: Accuracy | None) -> str:
    """Say how near it came to the truth, and what was fitted to it before."""
    parts = []
    if accuracy and np.isfinite(accuracy.ate):
        parts.append(
            f'path off by {100 * accuracy.ate:.1f} % of its {accuracy.path_length:.1f} m (ATE)'
        )
    if accuracy and np.isfinite(accuracy.abs_rel):
        parts.append(
            f'depth off by {100 * accuracy.abs_rel:.1f} % (AbsRel) once scaled to the true '
            'median, as drawn below'
        )
    return f'Against the truth: {"; ".join(parts)}.' if parts else ''


def _column(shown: Shown, results: Results, ordered: Sequence[int], scale: float = 1.0) -> Column:
    maps = results.maps[shown.stamp_ns]
    index = ordered.index(shown.stamp_ns)
    seconds = (shown.stamp_ns - ordered[0]) / 1e9
    return Column(
        f'image {index + 1} of {len(ordered)}, {seconds:.2f} s',
        shown.image,
        scale * maps.depth,
        maps.confidence,
        shown.truth.depth,
        _seen(shown, maps.depth.shape),
    )


def _seen(shown: Shown, shape: tuple[int, ...]) -> tuple[float, float, float, float] | None:
    """Give the part of an image that the network sees at (H, W): left, top, width, height."""
    if shown.image is None:
        return None
    plan = Preprocessing.plan(*shown.image.shape[:2], shape[1])
    if plan.size != shape or not plan.cut:
        return None
    down, across = (
        source / resized
        for source, resized in zip(plan.source_size, plan.resized_size, strict=True)
    )
    left, top = plan.crop_left * across, plan.crop_top * down
    return left, top, plan.size[1] * across, plan.size[0] * down


def _estimated_view(results: Results, accuracy: Accuracy | None, axes: str) -> TopView:
    """Lay the estimate over the truth, if there is one, by the similarity of their paths."""
    path = results.trajectory.positions
    if accuracy is None or accuracy.similarity is None:
        title = 'Reconstruction from above, cut at camera height'
        if accuracy is not None:
            title += f'\nnot aligned with the truth: {accuracy.reason}'
        return TopView(title, results.cloud, path, UP_TO_SCALE, axes)
    cloud = PlyCloud(move(results.cloud.points, accuracy.similarity), results.cloud.colours)
    title = f'Reconstruction from above, aligned with the truth by {accuracy.aligned_by}'
    path = move(path, accuracy.similarity)
    return TopView(title, cloud, path, 'm', axes, accuracy.true_path)


def _true_view(shown: Sequence[Shown], accuracy: Accuracy, axes: str) -> TopView:
    """Lay the true cloud and path in the map frame, whose origin is the first camera."""
    clouds = [_true_cloud(each, accuracy.map_from_world) for each in shown]
    cloud = PlyCloud(
        np.concatenate([np.empty((0, 3)), *[each.points for each in clouds]]),
        np.concatenate([np.empty((0, 3), np.uint8), *[each.colours for each in clouds]]),
    )
    title = 'Truth from above, of the images shown'
    return TopView(title, cloud, np.empty((0, 3)), 'm', axes, accuracy.true_path)


def _true_cloud(shown: Shown, map_from_world: np.ndarray) -> PlyCloud:
    """Lift a true depth map to coloured points in the map frame."""
    truth = shown.truth
    if truth.depth is None or truth.intrinsics is None or truth.world_from_camera is None:
        return PlyCloud(np.empty((0, 3)), np.empty((0, 3), np.uint8))
    v, u = np.nonzero(np.isfinite(truth.depth))
    depth = truth.depth[v, u].astype(np.float64)
    pixels = np.stack([u, v, np.ones_like(u)], axis=1)
    points = (pixels @ np.linalg.inv(truth.intrinsics).T) * depth[:, None]
    transform = map_from_world @ truth.world_from_camera
    points = points @ transform[:3, :3].T + transform[:3, 3]
    return PlyCloud(points, _colours(shown, v, u))


def _colours(shown: Shown, v: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Pick the image's colours for pixels of the depth map, which may be of another size."""
    if shown.image is None:
        return np.full((len(v), 3), 200, np.uint8)
    height, width = shown.truth.depth.shape
    rows = v * shown.image.shape[0] // height
    columns = u * shown.image.shape[1] // width
    return shown.image[rows, columns]
