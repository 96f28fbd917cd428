# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Things that lie or stand on tops and floors, drawn about or beside a pen's origin."""

from __future__ import annotations

from dataclasses import replace

from xstreamvggt_ros.synthetic.building import Pen
from xstreamvggt_ros.synthetic.materials import Palette
from xstreamvggt_ros.synthetic.scene import Material


def monitor(pen: Pen, palette: Palette):
    """Draw a screen on its foot and a keyboard; faces +y."""
    rng = palette.rng
    case = palette.plastic()
    wide, high = rng.uniform(0.42, 0.62), rng.uniform(0.27, 0.36)
    pen.box(case, (-0.1, -0.08, 0), (0.1, 0.08, 0.015))
    pen.box(case, (-0.025, -0.03, 0), (0.025, 0.0, 0.25))
    pen.box(case, (-wide / 2, -0.01, 0.12), (wide / 2, 0.025, 0.12 + high))
    lit = palette.fitted('screen', gloss=0.8)
    pen.box(lit, (-wide / 2 + 0.012, 0.0, 0.135), (wide / 2 - 0.012, 0.028, 0.105 + high))
    pen.box(palette.fitted('grille'), (-0.21, 0.16, 0), (0.21, 0.30, 0.022))


def small_things(pen: Pen, palette: Palette, width, depth, count):
    """Draw books, boxes, cups, bowls and papers lying on a top at z = 0."""
    rng = palette.rng
    for _ in range(count):
        x = rng.uniform(-width / 2 + 0.12, width / 2 - 0.12) if width > 0.3 else 0.0
        y = rng.uniform(0.12, max(depth - 0.12, 0.13))
        spot = pen.moved(x, y, 0, rng.uniform(-0.6, 0.6))
        kind = rng.integers(7)
        if kind == 0:
            spot.cylinder(palette.plastic(), (0, 0, 0), rng.uniform(0.035, 0.05), 0.1)
        elif kind == 1:
            spot.ellipsoid(palette.plastic(), (0, 0, 0.05), (0.1, 0.1, 0.06))
        elif kind == 2:
            for level in range(rng.integers(1, 5)):
                a, b = rng.uniform(0.07, 0.13), rng.uniform(0.09, 0.16)
                spot.box(
                    palette.plastic(),
                    (-a, -b / 1.4, 0.03 * level),
                    (a, b / 1.4, 0.03 * level + 0.028),
                )
        elif kind == 3:
            spot.box(palette.fitted('notice'), (-0.105, -0.148, 0), (0.105, 0.148, 0.006))
        elif kind == 4:
            a, b, c = rng.uniform(0.05, 0.15, 3)
            spot.box(palette.fitted('poster', 0.2), (-a, -b, 0), (a, b, 2 * c))
        elif kind == 5:
            spot.cylinder(palette.plastic(), (0, 0, 0), 0.035, rng.uniform(0.2, 0.3))
        else:
            plant(spot, palette, rng.uniform(0.25, 0.45))


def parcels(pen: Pen, palette: Palette, width, depth, count, headroom=1.6):
    """Draw cardboard boxes, beside one another and then on what stands there."""
    rng = palette.rng
    x, columns = -width / 2, []
    for _ in range(count):
        a, b, c = rng.uniform((0.22, 0.2, 0.15), (0.5, min(0.45, depth), 0.4))
        if not columns or x + a < width / 2:
            column = [x + a / 2, a, 0.0]
            columns.append(column)
            x += a + rng.uniform(0.03, 0.1)
        else:
            column = columns[rng.integers(len(columns))]
        middle, below, top = column
        if top + c < headroom:
            spot = pen.moved(middle, depth / 2, top, rng.normal(0, 0.06))
            _parcel(spot, palette, min(a, below), b, c)
            column[1:] = min(a, below), top + c


def _parcel(pen: Pen, palette: Palette, a, b, c):
    brown = palette.colour(0.08, 0.38, palette.rng.uniform(0.5, 0.72), 0.01)
    look = Material('cardboard', brown, palette.grey(0.6, 0.9), fit=True)
    pen.box(look, (-a / 2, -b / 2, 0), (a / 2, b / 2, c))


def plant(pen: Pen, palette: Palette, height):
    """Draw a potted plant about the origin."""
    rng = palette.rng
    pot = height * rng.uniform(0.25, 0.35)
    pen.cylinder(palette.plastic(), (0, 0, 0), pot * 0.55, pot)
    green = replace(palette.leaves(), tile=0.5 * height + 0.1)
    pen.cylinder(palette.wood(), (0, 0, pot), 0.01 + 0.01 * height, height * 0.4)
    for _ in range(rng.integers(5, 10)):
        r = height * rng.uniform(0.08, 0.18)
        x, y = rng.normal(0, 0.12 * height, 2)
        pen.ellipsoid(
            green, (x, y, rng.uniform(pot + r, height)), (r, r, r * rng.uniform(0.7, 1.2))
        )


def floor_lamp(pen: Pen, palette: Palette):
    """Draw a standing lamp about the origin."""
    metal, shade = palette.metal(), palette.fabric()
    lit = Material(shade.texture, palette.colour(0.1, 0.15, 0.85), shade.colour, 0.6, emission=0.5)
    pen.cylinder(metal, (0, 0, 0), 0.14, 0.025)
    pen.cylinder(metal, (0, 0, 0), 0.015, 1.4)
    pen.cylinder(lit, (0, 0, 1.35), palette.rng.uniform(0.15, 0.24), 0.28)


def waste_bin(pen: Pen, palette: Palette):
    """Draw a waste bin about the origin."""
    pen.cylinder(
        palette.plastic(), (0, 0, 0), palette.rng.uniform(0.12, 0.2), palette.rng.uniform(0.3, 0.6)
    )
