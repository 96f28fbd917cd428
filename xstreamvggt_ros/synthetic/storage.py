# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shelves, cupboards and parcels, drawn as `furniture` is."""

from __future__ import annotations

from xstreamvggt_ros.synthetic.building import Pen
from xstreamvggt_ros.synthetic.furniture import legs
from xstreamvggt_ros.synthetic.materials import Palette
from xstreamvggt_ros.synthetic.small_things import parcels, small_things


def shelf(pen: Pen, palette: Palette, width, depth) -> float:
    """Draw an open shelf filled with books and goods."""
    rng = palette.rng
    height = rng.uniform(1.2, 2.2)
    wood = palette.wood()
    levels = max(2, round(height / rng.uniform(0.32, 0.45)))
    pen.box(wood, (-width / 2, 0, 0), (-width / 2 + 0.025, depth, height))
    pen.box(wood, (width / 2 - 0.025, 0, 0), (width / 2, depth, height))
    pen.box(wood, (-width / 2, 0, 0), (width / 2, 0.012, height))
    gap = (height - 0.06) / levels
    for level in range(levels + 1):
        z = 0.04 + level * gap
        pen.box(wood, (-width / 2, 0, z - 0.022), (width / 2, depth, z))
        if level < levels:
            shelf_row(pen.moved(0, 0, z), palette, width - 0.06, depth - 0.03, gap - 0.03)
    return height + 0.05


def shelf_row(pen: Pen, palette: Palette, width, depth, height):
    """Fill one board, from left to right."""
    rng = palette.rng
    x = -width / 2
    while x < width / 2 - 0.12:
        run = min(rng.uniform(0.15, 0.6), width / 2 - x)
        kind, deep = rng.integers(5), rng.uniform(0.55, 0.95) * depth
        if kind <= 1:
            top = rng.uniform(0.65, 0.95) * height
            pen.box(palette.fitted('books', 0.2), (x, 0.01, 0), (x + run, deep, top))
        elif kind == 2:
            top = rng.uniform(0.4, 0.9) * height
            pen.box(palette.fitted('goods', 0.2), (x + 0.01, 0.01, 0), (x + run - 0.01, deep, top))
        elif kind == 3 and run > 0.16:
            radius = min(0.08, run / 2, depth / 2) * rng.uniform(0.6, 1)
            pen.cylinder(
                palette.plastic(),
                (x + run / 2, depth / 2, 0),
                radius,
                height * rng.uniform(0.3, 0.8),
            )
        x += run + rng.uniform(0, 0.06)


def wardrobe(pen: Pen, palette: Palette, width, depth) -> float:
    """Draw a cupboard with doors, gaps and handles."""
    rng = palette.rng
    height = rng.uniform(1.7, 2.3)
    wood = palette.wood()
    pen.box(wood, (-width / 2, 0, 0.06), (width / 2, depth - 0.02, height))
    pen.box(
        palette.lacquer(), (-width / 2 + 0.03, 0.02, 0), (width / 2 - 0.03, depth - 0.06, 0.06)
    )
    count = max(1, round(width / rng.uniform(0.42, 0.6)))
    each = width / count
    front = palette.fitted('panel', 0.15) if rng.random() < 0.5 else wood
    for index in range(count):
        x = -width / 2 + index * each
        pen.box(front, (x + 0.004, depth - 0.03, 0.07), (x + each - 0.004, depth, height - 0.005))
        knob = x + (0.05 if index % 2 else each - 0.05)
        pen.box(
            palette.metal(),
            (knob - 0.008, depth, height * 0.48),
            (knob + 0.008, depth + 0.025, height * 0.48 + 0.14),
        )
    if rng.random() < 0.4:
        parcels(pen.moved(0, 0, height), palette, width, depth, 2)
    return height + 0.45


def sideboard(pen: Pen, palette: Palette, width, depth) -> float:
    """Draw a low cupboard or kitchen counter with things on top."""
    rng = palette.rng
    height = rng.uniform(0.5, 0.92)
    pen.box(palette.wood(), (-width / 2, 0, 0.05), (width / 2, depth - 0.02, height))
    count = max(1, round(width / rng.uniform(0.45, 0.8)))
    each = width / count
    front = palette.fitted('drawers', 0.15)
    for index in range(count):
        x = -width / 2 + index * each
        pen.box(front, (x + 0.004, depth - 0.03, 0.07), (x + each - 0.004, depth, height - 0.04))
    pen.box(
        palette.wood(turn=True),
        (-width / 2 - 0.01, 0, height),
        (width / 2 + 0.01, depth + 0.01, height + 0.03),
    )
    small_things(pen.moved(0, 0, height + 0.03), palette, width, depth, rng.integers(2, 6))
    return height + 0.45


def rack(pen: Pen, palette: Palette, width, depth) -> float:
    """Draw a storage rack of posts and boards with parcels."""
    rng = palette.rng
    height = rng.uniform(1.8, 2.4)
    metal, board = palette.metal(), palette.wood()
    legs(pen, metal, width, depth, height, 0.05, inset=0.0)
    gap = (height - 0.2) / 3
    for level in range(4):
        level_pen = pen.moved(0, 0, 0.12 + level * gap)
        level_pen.box(board, (-width / 2, 0, -0.03), (width / 2, depth, 0))
        parcels(level_pen, palette, width - 0.1, depth, rng.integers(1, 6), headroom=gap - 0.04)
    return height + 0.35
