# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is fixed to a room: doors, windows, lamps, things on walls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from xstreamvggt_ros.synthetic.building import Builder, Pen
from xstreamvggt_ros.synthetic.materials import Palette
from xstreamvggt_ros.synthetic.scene import Light, Material
from xstreamvggt_ros.synthetic.storage import shelf_row


def door(pen: Pen, palette: Palette, room_height: float) -> float:
    """Draw a closed door in its frame from x = 0; return the width used."""
    rng = palette.rng
    wide, high = rng.uniform(0.8, 1.0), min(rng.uniform(2.0, 2.15), room_height - 0.15)
    frame = palette.trim()
    pen.box(frame, (0, 0, 0), (0.08, 0.03, high + 0.08))
    pen.box(frame, (wide + 0.08, 0, 0), (wide + 0.16, 0.03, high + 0.08))
    pen.box(frame, (0.08, 0, high), (wide + 0.08, 0.03, high + 0.08))
    leaf = palette.fitted('panel', 0.2) if rng.random() < 0.6 else palette.wood()
    pen.box(leaf, (0.08, 0, 0), (wide + 0.08, 0.018, high))
    side = 0.16 if rng.random() < 0.5 else wide
    pen.box(palette.metal(), (side - 0.06, 0.018, 1.03), (side + 0.06, 0.06, 1.055))
    return wide + 0.16


def window(pen: Pen, palette: Palette, room_height: float, room: float) -> tuple[float, Light]:
    """Draw a window with frame, sill, at times curtains; return the width used and its light."""
    rng = palette.rng
    wide = min(rng.uniform(0.8, 2.2), room - 0.3)
    sill, top = rng.uniform(0.8, 1.05), min(rng.uniform(1.95, 2.3), room_height - 0.2)
    frame = palette.trim()
    bright = rng.uniform(0.35, 1.2)
    pane = Material('window', (0.8, 0.8, 0.8), frame.colour, fit=True, gloss=0.3, emission=bright)
    pen.box(pane, (0.1, 0, sill), (wide + 0.1, 0.012, top))
    for low, high in (
        ((0.04, sill - 0.06), (wide + 0.16, sill)),
        ((0.04, top), (wide + 0.16, top + 0.06)),
        ((0.04, sill), (0.1, top)),
        ((wide + 0.1, sill), (wide + 0.16, top)),
    ):
        pen.box(frame, (low[0], 0, low[1]), (high[0], 0.045, high[1]))
    pen.box(frame, (0.0, 0, sill - 0.09), (wide + 0.2, rng.uniform(0.08, 0.2), sill - 0.06))
    _dress_window(pen, palette, wide, sill, top)
    middle = pen.place(wide / 2 + 0.1, 0.15, (sill + top) / 2)
    inward = pen.place(wide / 2 + 0.1, 1.15, (sill + top) / 2) - middle
    power = bright * wide * rng.uniform(0.25, 0.6)
    light = Light(
        tuple(middle.tolist()),
        tuple((inward - [0, 0, 0.3]).tolist()),
        (0.95 * power, power, 1.06 * power),
        1.5,
        0.8,
        2.6,
        True,
    )
    return wide + 0.2, light


def _dress_window(pen: Pen, palette: Palette, wide, sill, top):
    """Draw a blind, curtains or a radiator, or nothing."""
    rng = palette.rng
    if rng.random() < 0.25:
        blind = replace(palette.fitted('grille'), turn=True)
        pen.box(blind, (0.1, 0.012, top - rng.uniform(0.2, 0.7)), (wide + 0.1, 0.03, top))
    if rng.random() < 0.4:
        cloth = replace(palette.fabric(), texture='folds', tile=rng.uniform(0.6, 1.0))
        foot = 0.1 if rng.random() < 0.5 else sill - 0.15
        for left in (-0.15, wide + 0.05):
            pen.box(cloth, (left, 0.05, foot), (left + 0.3, 0.11, top + 0.15))
        pen.box(palette.metal(), (-0.25, 0.06, top + 0.15), (wide + 0.45, 0.09, top + 0.18))
    elif rng.random() < 0.5:
        pen.box(palette.fitted('grille'), (0.15, 0.02, 0.12), (wide, 0.1, sill - 0.2))


def ceiling_lamps(
    builder: Builder,
    palette: Palette,
    size: tuple[float, float, float],
    lit: bool,
    about: Pen | None = None,
) -> list[Light]:
    """Draw panels, tubes or globes under the ceiling of a room; return their light, if lit."""
    rng, (length, _, height) = palette.rng, size
    about = about or builder.at()
    count = 1 if length < 4.5 else int(rng.integers(1, 4))
    warm, style, power = rng.uniform(0.72, 1.0), rng.integers(3), rng.uniform(0.4, 1.1)
    glow = Material(
        'plaster', (0.8, 0.8, 0.8 * warm), (0.8, 0.8, 0.8), emission=1.6 if lit else 0.05
    )
    lights = []
    for index in range(count):
        x = (index + 0.5) / count * length - length / 2
        pen = about.moved(x + rng.normal(0, 0.1), rng.normal(0, 0.15))
        drop = _lamp(pen, palette, glow, style, height)
        place = tuple(pen.place(0, 0, height - drop - 0.15).tolist())
        colour = (power, power * (1 + warm) / 2, power * warm)
        lights.append(Light(place, (0.0, 0.0, -1.0), colour, 1.6, 0.5, 3.0, True))
    return lights if lit else []


def _lamp(pen: Pen, palette: Palette, glow: Material, style: int, height: float) -> float:
    """Draw one lamp and return how far it hangs down."""
    if style == 0:
        pen.box(glow, (-0.3, -0.3, height - 0.02), (0.3, 0.3, height + 0.01))
        return 0.05
    if style == 1:
        pen.box(palette.metal(), (-0.65, -0.1, height - 0.04), (0.65, 0.1, height))
        pen.box(glow, (-0.6, -0.06, height - 0.07), (0.6, 0.06, height - 0.04))
        return 0.08
    drop = palette.rng.uniform(0.15, 0.5)
    pen.cylinder(palette.metal(), (0, 0, height - drop), 0.008, drop)
    pen.ellipsoid(glow, (0, 0, height - drop), (0.16, 0.16, 0.12))
    return drop


def hang_on_wall(pen: Pen, palette: Palette, width, low, high):
    """Hang pictures, a board, a clock, a shelf or switches between heights `low` and `high`."""
    rng = palette.rng
    choice = rng.random()
    top = min(high - 0.15, 2.2)
    if choice < 0.5:
        x = 0.05
        while x < width - 0.3:
            a, b = rng.uniform(0.25, 0.8), rng.uniform(0.25, 0.8)
            a = min(a, width - x)
            low_edge = max(low + 0.1, rng.uniform(1.1, 1.5))
            if low_edge + b < top:
                _picture(pen, palette, x, low_edge, a, b)
            x += a + rng.uniform(0.08, 0.5)
    elif choice < 0.62 and width > 0.8 and low < 1.0:
        pen.box(palette.metal(), (0.02, 0, 1.0), (width - 0.02, 0.015, top - 0.1))
        pen.box(palette.fitted('notice'), (0.04, 0, 1.02), (width - 0.04, 0.02, top - 0.12))
    elif choice < 0.74 and width > 0.5 and low < 1.3:
        z = rng.uniform(max(low + 0.15, 1.2), 1.7)
        pen.box(palette.wood(turn=True), (0.03, 0, z), (width - 0.03, 0.22, z + 0.025))
        shelf_row(pen.moved(width / 2, 0, z + 0.025), palette, width - 0.1, 0.18, 0.3)
    elif choice < 0.82 and low < 1.6:
        z = rng.uniform(max(low + 0.3, 1.4), 2.0)
        pen.lying_cylinder(palette.fitted('notice'), (width / 2, 0.01, z), 0.15, 0.03, np.pi / 2)
    if low < 1.0 and rng.random() < 0.4:
        x = rng.uniform(0, width)
        pen.box(palette.plastic(), (x, 0, 1.05), (x + 0.08, 0.012, 1.13))


def _picture(pen, palette, x, z, a, b):
    rng = palette.rng
    deep = rng.uniform(0.008, 0.03)
    look = 'poster' if rng.random() < 0.8 else 'notice'
    pen.box(palette.fitted(look, 0.25, gloss=0.2), (x, 0, z), (x + a, deep, z + b))
    if rng.random() < 0.5:
        pen.box(
            palette.wood(), (x - 0.02, 0, z - 0.02), (x + a + 0.02, deep - 0.004, z + b + 0.02)
        )
