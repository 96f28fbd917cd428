# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A coloured cloud and the camera's path, seen from above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xstreamvggt_ros.files.ply import PlyCloud

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More than this many dots change nothing on a panel of some 700 pixels.
MAX_DOTS = 150_000
# Points beyond are left out, so that a few far ones do not shrink all others.
SPAN_PERCENTILES = (1.0, 99.0)
# Columns and signs of what is drawn to the right, upwards and (unseen) towards the viewer.
VIEWS = {
    'rep103': ((1, -1), (0, 1), (2, 1), 'right of the first view (−y)', 'ahead of it (x)'),
    'optical': ((0, 1), (2, 1), (1, -1), 'right of the first view (x)', 'ahead of it (z)'),
}


@dataclass(frozen=True)
class TopView:
    """
    Hold a cloud and a path (F, 3), both in the map frame and in `unit`.

    `world_axes` says how the map lies: 'rep103' (x ahead, y left, z up) or 'optical'. `true_path`
    (F, 3) is drawn beside an estimated `path` that was aligned with it, or alone.
    """

    title: str
    cloud: PlyCloud
    path: np.ndarray
    unit: str
    world_axes: str = 'rep103'
    true_path: np.ndarray | None = None


def draw_top_view(axis: Axes, view: TopView) -> None:
    """
    Draw what is below the camera, both directions to the same scale.

    The first view looks up the page.
    """
    *_, across_label, ahead_label = VIEWS[view.world_axes]
    axis.set_title(view.title, fontsize=12, weight='bold')
    axis.set_xlabel(f'{across_label} [{view.unit}]', fontsize=10)
    axis.set_ylabel(f'{ahead_label} [{view.unit}]', fontsize=10)
    axis.set_facecolor('#20242c')
    axis.grid(color='#444a55', linewidth=0.5)
    axis.set_axisbelow(True)
    axis.margins(0.05)
    estimated = _from_above(view.path, view.world_axes)
    none = np.empty((0, 3))
    true = _from_above(none if view.true_path is None else view.true_path, view.world_axes)
    path = estimated if len(estimated) else true
    dots, colours = _dots(view, path)
    if len(dots):
        axis.scatter(dots[:, 0], dots[:, 1], c=colours, s=1.2, linewidths=0, rasterized=True)
    for points, name, line, colour in (
        (estimated, 'estimated path', '-', '#ff5fd2'),
        (true, 'true path', '--', '#4cc9f0'),
    ):
        if len(points):
            axis.plot(points[:, 0], points[:, 1], line, color=colour, linewidth=2.2, label=name)
    if len(path):
        axis.plot(*path[0, :2], 'o', color='#39e75f', markersize=9, label='start')
        axis.plot(*path[-1, :2], 's', color='#ff4d4d', markersize=8, label='end')
        axis.legend(loc='upper right', fontsize=9, framealpha=0.9)


def _from_above(points: np.ndarray, world_axes: str) -> np.ndarray:
    """Turn points (N, 3) of the map into right, ahead and height (N, 3)."""
    columns = [sign * points[:, column] for column, sign in VIEWS[world_axes][:3]]
    return np.stack(columns, axis=1) if len(points) else np.empty((0, 3))


def _dots(view: TopView, path: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Choose the points to draw, lowest first, so that what is on top is seen.

    What is higher than the camera ever was is left out: a ceiling would hide all else.
    """
    dots = _from_above(view.cloud.points, view.world_axes)
    colours = view.cloud.colours / 255.0
    if not len(dots):
        return dots, colours
    if len(dots) > MAX_DOTS:
        pick = np.random.default_rng(0).choice(len(dots), MAX_DOTS, replace=False)
        dots, colours = dots[pick], colours[pick]
    low, high = np.percentile(dots[:, :2], SPAN_PERCENTILES, axis=0)
    shown = ((dots[:, :2] >= low) & (dots[:, :2] <= high)).all(axis=1)
    if len(path):
        shown &= dots[:, 2] <= path[:, 2].max()
    dots, colours = dots[shown], colours[shown]
    order = np.argsort(dots[:, 2])
    return dots[order], colours[order]
