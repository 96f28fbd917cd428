# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One picture of a whole run: what went in, what came out, and the truth where it is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from xstreamvggt_ros.demo.top_view import draw_top_view, TopView
from xstreamvggt_ros.files.replacing import replacing
from xstreamvggt_ros.guard.verdict import LEAST_CONFIDENCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

DOTS_PER_INCH = 110
COLUMN_INCHES = 2.35
MARGIN_INCHES = 1.9
TOP_VIEW_INCHES = 5.2
HEAD_INCHES = 1.2
# Shades of a row run over this share of its values, so that a few outliers do not flatten them.
SHADE_PERCENTILES = (2.0, 98.0)
WARNING_COLOUR = '#b3261e'
# The confidence of a scene that is recognised reaches further; less would be shades of noise.
LEAST_CONFIDENCE_SPAN = 0.5
# Of 255.
UNSEEN_SHADE = 170


@dataclass(frozen=True)
class Column:
    """
    Hold one frame of the sheet.

    `caption` stands above it; `image` (H, W, 3) uint8 or None; `depth` and `confidence` (H, W)
    are the network's; `true_depth` (H, W), metres, NaN where unknown, or None. `seen` is the part
    of the image that the network sees: left, top, width and height in its pixels; None: all.
    """

    caption: str
    image: np.ndarray | None
    depth: np.ndarray
    confidence: np.ndarray
    true_depth: np.ndarray | None = None
    seen: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Sheet:
    """
    Hold everything to draw; `warning` is set in red, `depth_unit` is that of the estimate.

    Depth in metres is shaded as the true depth is. Top views are drawn to one scale and in one
    place where they are `aligned`.
    """

    title: str
    subtitle: str
    warning: str
    columns: Sequence[Column]
    top_views: Sequence[TopView]
    depth_unit: str
    aligned: bool = False


@dataclass(frozen=True)
class _Row:
    """A row of maps in shades that mean the same in every column."""

    name: str
    unit: str
    colours: str
    pick: Callable[[Column], np.ndarray | None]
    # Where its shades begin, None for where the values do, and how far they reach at least.
    least: float | None = None
    least_span: float = 1e-6


def draw_contact_sheet(path: Path, sheet: Sheet) -> None:
    """Draw the sheet as a PNG; an existing file of that name is replaced."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = _rows(sheet)
    width = MARGIN_INCHES + COLUMN_INCHES * max(4, len(sheet.columns))
    row_inches = [COLUMN_INCHES * _aspect(sheet, row) + 0.12 for row in rows]
    heights = [HEAD_INCHES, sum(row_inches) + 0.25, TOP_VIEW_INCHES]
    figure = Figure(figsize=(width, sum(heights)), dpi=DOTS_PER_INCH, facecolor='white')
    FigureCanvasAgg(figure)
    head, maps, views = figure.subfigures(3, 1, height_ratios=heights, hspace=0)
    _draw_head(head, sheet)
    _draw_rows(maps, sheet.columns, rows, row_inches, width)
    _draw_top_views(views, sheet.top_views, sheet.aligned)
    with replacing(path) as temporary:
        figure.savefig(temporary, format='png')


def _rows(sheet: Sheet) -> list[_Row | None]:
    """Give the rows of maps; None is that of the images."""
    rows = [None, _Row('estimated depth', sheet.depth_unit, 'turbo', lambda column: column.depth)]
    if any(column.true_depth is not None for column in sheet.columns):
        rows.append(_Row('true depth', 'm', 'turbo', lambda column: column.true_depth))
    rows.append(
        _Row(
            'confidence',
            f'{LEAST_CONFIDENCE:g}: none',
            'viridis',
            lambda column: column.confidence,
            LEAST_CONFIDENCE,
            LEAST_CONFIDENCE_SPAN,
        )
    )
    return rows


def _aspect(sheet: Sheet, row: _Row | None) -> float:
    """Give height over width of the tallest picture of a row."""
    pick = row.pick if row else lambda column: column.image
    shapes = [pick(column).shape for column in sheet.columns if pick(column) is not None]
    return max((shape[0] / shape[1] for shape in shapes), default=0.75)


def _draw_head(head: SubFigure, sheet: Sheet) -> None:
    head.text(0.012, 0.88, sheet.title, fontsize=17, weight='bold', va='top')
    head.text(0.012, 0.56, sheet.subtitle, fontsize=10.5, va='top', color='#333333')
    if sheet.warning:
        head.text(
            0.012, 0.18, sheet.warning, fontsize=11, va='top', color=WARNING_COLOUR, weight='bold'
        )


def _draw_rows(
    figure: SubFigure,
    columns: Sequence[Column],
    rows: Sequence[_Row | None],
    row_inches: Sequence[float],
    width: float,
) -> None:
    grid = figure.add_gridspec(
        len(rows),
        max(4, len(columns)) + 1,
        height_ratios=row_inches,
        width_ratios=[*[1.0] * max(4, len(columns)), 0.06],
        left=0.55 / width,
        right=1 - 0.85 / width,
        top=1 - 0.3 / (sum(row_inches) + 0.25),
        bottom=0.01,
        wspace=0.04,
        hspace=0.06,
    )
    for number, row in enumerate(rows):
        axes = [figure.add_subplot(grid[number, index]) for index in range(len(columns))]
        for axis in axes:
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set_visible(False)
        axes[0].set_ylabel(row.name if row else 'input image', fontsize=12, weight='bold')
        if row is None:
            _draw_images(axes, columns)
        else:
            scale = figure.add_subplot(grid[number, -1])
            alike = [each for each in rows if each and each.unit == row.unit]
            limits = _limits(row, [pick.pick(each) for pick in alike for each in columns])
            _draw_maps(figure, axes, scale, row, [row.pick(each) for each in columns], limits)


def _draw_images(axes: Sequence[Axes], columns: Sequence[Column]) -> None:
    for axis, column in zip(axes, columns, strict=True):
        axis.set_title(column.caption, fontsize=10.5)
        if column.image is None:
            _note(axis, 'cannot be shown')
        else:
            axis.imshow(column.image, interpolation='antialiased')
            if column.seen is not None:
                _shade_unseen(axis, column.image.shape, column.seen)


def _limits(row: _Row, maps: list) -> tuple[float, float] | None:
    """Say where the shades of a row begin and end, from all maps that have its unit."""
    known = [values[np.isfinite(values)] for values in maps if values is not None]
    values = np.concatenate(known) if known else np.empty(0)
    if not values.size:
        return None
    low, high = np.percentile(values, SHADE_PERCENTILES)
    low = low if row.least is None else row.least
    return low, max(high, low + row.least_span)


def _draw_maps(figure: Figure, axes, scale: Axes, row: _Row, maps: list, limits) -> None:
    if not any(values is not None and np.isfinite(values).any() for values in maps):
        scale.set_axis_off()
        for axis in axes:
            _note(axis, 'no finite value')
        return
    low, high = limits
    shades = None
    for axis, values in zip(axes, maps, strict=True):
        if values is None:
            _note(axis, 'not known')
            continue
        axis.set_facecolor('#d9d9d9')  # where there is no number
        shades = axis.imshow(
            values, cmap=row.colours, vmin=low, vmax=high, interpolation='nearest'
        )
    bar = figure.colorbar(shades, cax=scale, extend='both')
    bar.set_label(f'{row.name.split()[-1]} [{row.unit}]', fontsize=10)
    bar.ax.tick_params(labelsize=9)


def _shade_unseen(axis: Axes, shape: tuple[int, ...], seen: tuple[float, ...]) -> None:
    """Darken what of an image (H, W) the network does not see."""
    left, top, width, height = seen
    shade = np.zeros((*shape[:2], 4), np.uint8)
    shade[..., 3] = UNSEEN_SHADE
    shade[round(top) : round(top + height), round(left) : round(left + width), 3] = 0
    axis.imshow(shade)
    axis.text(
        0.5, 0.02, 'dark: not seen', ha='center', transform=axis.transAxes, color='w', fontsize=9
    )


def _note(axis: Axes, text: str) -> None:
    axis.text(0.5, 0.5, text, ha='center', va='center', transform=axis.transAxes, color='#777777')


def _draw_top_views(figure: SubFigure, views: Sequence[TopView], aligned: bool) -> None:
    axes = figure.subplots(
        1,
        len(views),
        sharex=aligned,
        sharey=aligned,
        gridspec_kw={'left': 0.06, 'right': 0.97, 'top': 0.9, 'bottom': 0.12},
    )
    for axis, view in zip(np.atleast_1d(axes), views, strict=True):
        draw_top_view(axis, view)
        # What shares its limits cannot widen them to fill its place.
        axis.set_aspect('equal', adjustable='box' if aligned else 'datalim')
        axis.tick_params(labelleft=True)
