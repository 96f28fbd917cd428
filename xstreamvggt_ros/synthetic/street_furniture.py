# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Things that stand outdoors, each drawn about a pen's origin on the ground."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xstreamvggt_ros.synthetic.building import Pen
from xstreamvggt_ros.synthetic.materials import Palette
from xstreamvggt_ros.synthetic.scene import Material


def house(pen: Pen, palette: Palette, width, depth):
    """Draw a house whose front is the side y = depth, centred at x = 0."""
    rng = palette.rng
    storey = rng.uniform(2.7, 3.3)
    storeys = rng.integers(1, 5)
    height = storey * storeys + rng.uniform(0, 0.6)
    plain = (
        palette.brick(tile=rng.uniform(1.0, 1.5))
        if rng.random() < 0.4
        else palette.stone(
            'plaster', 'concrete', 'blocks', tile=rng.uniform(2, 3.5), darkest=0.45, lightest=0.88
        )
    )
    frames = palette.grey(0.3, 0.9)
    flat_windows = rng.random() < 0.5
    wall = plain
    if flat_windows:
        wall = Material('facade', plain.colour, frames, tile=storey * rng.uniform(1.9, 2.6))
    pen.box(wall, (-width / 2, 0, -1.0), (width / 2, depth, height))
    front = pen.moved(0, depth)
    front.box(
        palette.stone('concrete', 'blocks', tile=1.5),
        (-width / 2 - 0.03, -0.5, -1.0),
        (width / 2 + 0.03, 0.04, rng.uniform(0.3, 0.8)),
    )
    _door(front.moved(rng.uniform(-0.3, 0.3) * width, 0), palette)
    if not flat_windows:
        _windows(front, palette, width, storey, storeys, frames)
    if rng.random() < 0.5:
        slab = palette.stone('concrete', 'metal')
        pen.box(
            slab, (-width / 2 - 0.3, -0.3, height), (width / 2 + 0.3, depth + 0.3, height + 0.25)
        )
    else:
        _pitched_roof(pen, palette, width, depth, height)


def _pitched_roof(pen, palette, width, depth, height):
    rng = palette.rng
    slope, over = rng.uniform(0.45, 0.8), 0.4
    colour = palette.colour(rng.choice([0.03, 0.6]), 0.3, rng.uniform(0.3, 0.5))
    cover = Material('blocks', colour, palette.darker(colour), 1.6)
    run = depth / 2 + over
    for sign in (-1, 1):
        y = depth / 2 + sign * run / 2
        z = height + (depth / 2 - run / 2) * np.tan(slope)
        pen.tilted_box(
            cover, (0, y, z), (width + 2 * over, run / np.cos(slope), 0.18), roll=-sign * slope
        )
    pen.box(
        replace(cover, texture='plaster'),
        (-width / 2, depth * 0.2, height),
        (width / 2, depth * 0.8, height + 0.3 * depth * np.tan(slope) * 0.9),
    )


def _door(front, palette):
    rng = palette.rng
    front.box(palette.lacquer(), (-0.62, -0.1, 0), (0.62, 0.06, 2.25))
    front.box(palette.fitted('panel', 0.3), (-0.5, -0.1, 0), (0.5, 0.08, 2.13))
    front.box(palette.stone('concrete'), (-0.8, 0, -0.5), (0.8, 0.5, rng.uniform(0.1, 0.2)))


def _windows(front, palette, width, storey, storeys, frames):
    """Draw windows with real frames and sills in rows."""
    rng = palette.rng
    columns = max(2, int(width / rng.uniform(2.0, 3.0)))
    a, b = rng.uniform(0.5, 0.75), rng.uniform(1.1, 1.6)
    glass = Material('window', (0.16, 0.19, 0.22), frames, fit=True, gloss=0.8)
    frame = Material('plaster', frames, palette.darker(frames), 1.0)
    for level in range(min(storeys, 3)):
        z = level * storey + 0.95
        for column in range(columns):
            x = ((column + 0.5) / columns - 0.5) * width
            front.box(frame, (x - a - 0.07, -0.1, z - 0.07), (x + a + 0.07, 0.03, z + b + 0.07))
            front.box(glass, (x - a, -0.1, z), (x + a, 0.04, z + b))
            front.box(frame, (x - a - 0.12, -0.1, z - 0.13), (x + a + 0.12, 0.14, z - 0.07))


def tree(pen: Pen, palette: Palette):
    """Draw a tree of trunk, branches and crowns."""
    rng = palette.rng
    height = rng.uniform(3.5, 8)
    brown = palette.colour(0.08, 0.25, rng.uniform(0.25, 0.45))
    trunk = Material('bark', brown, palette.darker(brown), 0.8)
    crown = palette.tree_leaves()
    thick, bare = 0.025 * height + 0.03, height * rng.uniform(0.25, 0.4)
    pen.cylinder(trunk, (0, 0, -0.4), thick, bare + 0.25 * height + 0.4)
    middle, half = (bare + height) / 2, (height - bare) / 2
    for _ in range(rng.integers(9, 16)):
        # Clumps on and in an ellipsoid crown; its outline is never smooth.
        toward = rng.normal(0, 1, 3)
        x, y, z = toward / np.linalg.norm(toward) * rng.uniform(0.35, 0.85)
        r = half * rng.uniform(0.3, 0.5)
        centre = (x * half * 0.9, y * half * 0.9, middle + z * half)
        pen.ellipsoid(crown, centre, r * rng.uniform(0.75, 1.1, 3), yaw=rng.uniform(0, 3))


def bush(pen: Pen, palette: Palette):
    """Draw a bush or a cut hedge."""
    rng = palette.rng
    green = palette.leaves()
    if rng.random() < 0.3:
        a, b = rng.uniform(1.0, 2.5), rng.uniform(0.3, 0.5)
        pen.box(green, (-a, -b, -0.2), (a, b, rng.uniform(0.7, 1.4)))
        return
    size = rng.uniform(0.3, 0.65)
    for _ in range(rng.integers(5, 10)):
        x, y, z = rng.normal(0, 0.6, 3) * size
        r = size * rng.uniform(0.4, 0.75, 3)
        pen.ellipsoid(green, (x, y, 0.6 * size + 0.5 * z), r, yaw=rng.uniform(0, 3))


def rocks(pen: Pen, palette: Palette):
    """Draw some boulders."""
    rng = palette.rng
    stone = palette.stone('concrete', 'asphalt', tile=1.2, darkest=0.35, lightest=0.65)
    for _ in range(rng.integers(1, 4)):
        a, b, c = rng.uniform(0.2, 0.8, 3)
        x, y = rng.normal(0, 0.6, 2)
        pen.ellipsoid(
            stone, (x, y, 0.3 * c), (a, b, 0.7 * c), rng.uniform(0, 3), rng.normal(0, 0.2)
        )


def ramp(pen: Pen, palette: Palette):
    """Draw a ramp up to a platform, or some steps."""
    rng = palette.rng
    stone = palette.stone('concrete', 'blocks', 'planks', tile=1.6)
    wide, rise = rng.uniform(0.7, 1.4), rng.uniform(0.35, 0.9)
    if rng.random() < 0.5:
        run = rise / np.tan(rng.uniform(0.15, 0.4))
        slope, thick = np.arctan2(rise, run), 0.12
        length = np.hypot(run, rise) + 0.1
        pen.tilted_box(
            stone,
            (run / 2 + thick / 2 * np.sin(slope), 0, rise / 2 - thick / 2 * np.cos(slope)),
            (length, 2 * wide, thick),
            pitch=-slope,
        )
    else:
        run, count = 1.2, max(2, int(rise / 0.17))
        for step in range(count):
            x = run * step / count
            pen.box(stone, (x, -wide, -0.4), (run, wide, rise * (step + 1) / count))
    pen.box(stone, (run, -wide, -0.4), (run + 2.0, wide, rise))


def low_wall(pen: Pen, palette: Palette):
    """Draw a length of garden wall with a coping."""
    rng = palette.rng
    a, high = rng.uniform(1.2, 3.5), rng.uniform(0.6, 1.6)
    wall = palette.brick(1.1) if rng.random() < 0.5 else palette.stone('blocks', 'concrete')
    pen.box(wall, (-a, -0.12, -0.5), (a, 0.12, high))
    pen.box(palette.stone('concrete'), (-a - 0.03, -0.16, high), (a + 0.03, 0.16, high + 0.07))


def fence(pen: Pen, palette: Palette, length):
    """Draw a fence of posts and rails from x = 0."""
    rng = palette.rng
    wood = palette.wood(turn=True)
    high = rng.uniform(0.9, 1.6)
    for x in np.arange(0, length, 2.0):
        pen.box(wood, (x - 0.06, -0.06, -0.3), (x + 0.06, 0.06, high))
    for z in np.arange(0.2, high, 0.32):
        pen.box(wood, (0, -0.025, z), (length, 0.025, z + 0.14))


def street_lamp(pen: Pen, palette: Palette):
    """Draw a lamp post whose arm reaches towards +x."""
    rng = palette.rng
    metal, high = palette.metal(), rng.uniform(3.5, 6.5)
    pen.cylinder(metal, (0, 0, -0.2), 0.055, high + 0.2)
    pen.cylinder(metal, (0, 0, -0.2), 0.09, 1.0)
    pen.box(metal, (-0.05, -0.04, high - 0.08), (0.9, 0.04, high))
    pen.box(palette.plastic(), (0.5, -0.12, high - 0.14), (1.0, 0.12, high - 0.02))


def car(pen: Pen, palette: Palette):
    """Draw a parked car along x: body, cabin, windows, wheels, lamps."""
    rng = palette.rng
    colour = palette.grey(0.12, 0.85) if rng.random() < 0.6 else palette.muted(0.7, 0.15, 0.6)
    paint = Material('plaster', colour, palette.darker(colour), 3.0, gloss=0.9)
    dark = Material('metal', (0.03, 0.03, 0.035), (0.06, 0.06, 0.06), 1.0, gloss=0.9)
    rubber = Material('asphalt', (0.03, 0.03, 0.03), (0.02, 0.02, 0.02), 0.5)
    a, b, waist, roof = (
        rng.uniform(1.9, 2.3),
        rng.uniform(0.82, 0.92),
        0.85,
        rng.uniform(1.4, 1.75),
    )
    pen.box(paint, (-a, -b, 0.28), (a, b, waist))
    pen.box(dark, (-a - 0.04, -b * 0.95, 0.3), (a + 0.04, b * 0.95, 0.5))
    front, back = a * rng.uniform(0.3, 0.45), -a * rng.uniform(0.6, 0.95)
    pen.box(dark, (back + 0.15, -b + 0.06, waist), (front - 0.25, b - 0.06, roof - 0.05))
    pen.box(paint, (back + 0.1, -b + 0.05, roof - 0.07), (front - 0.25, b - 0.05, roof))
    slope = 0.95
    pen.tilted_box(
        dark,
        (front - 0.05, 0, (waist + roof) / 2 - 0.03),
        ((roof - waist) / np.sin(slope), 2 * b - 0.16, 0.05),
        pitch=slope,
    )
    for x in (back + 0.12, (front + back) / 2, front - 0.22):
        pen.box(paint, (x - 0.04, -b + 0.045, waist), (x + 0.04, b - 0.045, roof))
    for x in (-0.62 * a, 0.62 * a):
        for y in (-b + 0.1, b - 0.1):
            pen.lying_cylinder(rubber, (x, y, 0.32), 0.32, 0.23, np.pi / 2)
            pen.lying_cylinder(palette.metal(), (x, y, 0.32), 0.19, 0.25, np.pi / 2)
    for x, shade in ((a, (0.7, 0.7, 0.65)), (-a, (0.3, 0.04, 0.04))):
        lamp = Material('plaster', shade, shade, gloss=0.8)
        for y in (-b + 0.22, b - 0.22):
            pen.box(lamp, (x - 0.05, y - 0.16, 0.62), (x + 0.015, y + 0.16, 0.76))


def crates(pen: Pen, palette: Palette):
    """Draw stacked crates or pallets."""
    rng = palette.rng
    for level in range(rng.integers(1, 4)):
        a = rng.uniform(0.35, 0.6)
        wood = palette.wood() if rng.random() < 0.6 else palette.plastic()
        pen.moved(rng.normal(0, 0.05), 0, 0.6 * level, rng.normal(0, 0.2)).box(
            replace(wood, texture='planks', tile=0.9), (-a, -a * 0.8, -0.03), (a, a * 0.8, 0.6)
        )


def small_thing(pen: Pen, palette: Palette):
    """Draw a bin, bench, sign, bollard, planter or junction box; faces +x."""
    rng = palette.rng
    kind = rng.integers(6)
    if kind == 0:
        pen.cylinder(palette.plastic(), (0, 0, 0), rng.uniform(0.2, 0.32), rng.uniform(0.7, 1.1))
    elif kind == 1:
        wood = palette.wood(turn=True)
        for y in (-0.6, 0.6):
            pen.box(palette.metal(), (-0.2, y - 0.04, 0), (0.22, y + 0.04, 0.42))
        for x in (-0.2, -0.05, 0.1):
            pen.box(wood, (x, -0.8, 0.42), (x + 0.12, 0.8, 0.46))
        pen.box(wood, (-0.25, -0.8, 0.55), (-0.21, 0.8, 0.85))
    elif kind == 2:
        pen.cylinder(palette.metal(), (0, 0, 0), 0.03, 2.6)
        pen.box(palette.fitted('poster', 0.3), (0.03, -0.3, 1.9), (0.05, 0.3, 2.5))
    elif kind == 3:
        for y in (-0.7, 0.7):
            pen.cylinder(palette.metal(), (0, y, 0), 0.07, 0.9)
    elif kind == 4:
        pen.box(palette.stone('concrete', 'planks'), (-0.4, -0.8, 0), (0.4, 0.8, 0.5))
        pen.ellipsoid(palette.leaves(), (0, 0, 0.55), (0.35, 0.7, 0.4))
    else:
        pen.box(palette.fitted('drawers', 0.2), (-0.2, -0.5, 0), (0.2, 0.5, rng.uniform(0.9, 1.4)))
