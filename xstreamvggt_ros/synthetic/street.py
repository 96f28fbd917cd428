# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A street between houses; it runs along x."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.synthetic import street_furniture as things
from xstreamvggt_ros.synthetic.scene import Material


def lay_street(builder, palette, ground, half, clutter):
    """Lay road, pavements, houses on both sides and what stands about; the street runs along x."""
    rng = palette.rng
    road = palette.stone('asphalt', tile=rng.uniform(1.5, 3), darkest=0.28, lightest=0.5)
    ground.add(builder, 'ground', (0, 0, 0), 0.0, 0.0, road)
    side = rng.uniform(2.6, 4.0)
    curb, pen = rng.uniform(0.08, 0.15), builder.at()
    paving = palette.stone('blocks', 'tiles', 'asphalt', 'concrete', tile=rng.uniform(1.5, 3))
    stone = palette.stone('concrete', tile=1.0)
    for sign in (-1, 1):
        low, high = sorted((sign * side, sign * (half[1] + 12)))
        pen.box(paving, (-90, low, -0.3), (90, high, curb))
        edge = sorted((sign * side, sign * (side - 0.15)))
        pen.box(stone, (-90, edge[0], -0.3), (90, edge[1], curb + 0.005))
        _row_of_houses(builder, palette, sign, half)
        _kerbside(builder, palette, sign, side, curb, half, clutter)
    _markings(builder, palette, side)
    # The street ends in houses or rising ground, not in the void.
    for sign in (-1, 1):
        if rng.random() < 0.6:
            pen = builder.at(
                sign * (half[0] + rng.uniform(10, 35)), rng.normal(0, 2), 0, sign * -np.pi / 2
            )
            things.house(pen, palette, rng.uniform(10, 18), rng.uniform(6, 10))
        else:
            ground.add(
                builder,
                'slope',
                (sign * (half[0] + 6), 0, 0),
                0.0 if sign > 0 else np.pi,
                rng.uniform(0.04, 0.1),
                palette.lawn(),
            )


def _row_of_houses(builder, palette, sign, half):
    rng = palette.rng
    x = -half[0] - 22
    while x < half[0] + 22:
        width, deep = rng.uniform(6, 15), rng.uniform(6, 9)
        setback = half[1] + (rng.uniform(0, 2.5) if rng.random() < 0.4 else 0)
        if rng.random() < 0.85:
            # A house faces its pen's +y side: towards the street.
            pen = builder.at(x + width / 2, sign * (setback + deep), 0, np.pi if sign > 0 else 0.0)
            things.house(pen, palette, width, deep)
        else:
            things.tree(builder.at(x + width / 2, sign * (setback + 2)), palette)
            pen = builder.at(x, sign * setback, 0)
            things.fence(pen, palette, width)
        x += width + (rng.uniform(0.5, 4) if rng.random() < 0.4 else 0)


def _kerbside(builder, palette, sign, side, curb, half, clutter):
    """Stand lamps, trees, cars, bins and signs along one kerb."""
    rng = palette.rng
    lamp_step, x = rng.uniform(9, 16), -half[0] + rng.uniform(0, 8)
    while x < half[0] + 15:
        things.street_lamp(builder.at(x, sign * (side + 0.5), curb, -sign * np.pi / 2), palette)
        x += lamp_step
    x = -half[0] + rng.uniform(0, 4)
    while x < half[0] + 10:
        choice = rng.random()
        yaw = rng.normal(0, 0.02) + (np.pi if rng.random() < 0.5 else 0)
        if choice < 0.4 * clutter:
            things.car(builder.at(x, sign * (side - 1.15), 0, yaw), palette)
        elif choice < 0.55:
            things.tree(builder.at(x, sign * (side + 1.0), curb), palette)
        elif choice < 0.8:
            spot = builder.at(x, sign * (side + rng.uniform(0.4, 1.6)), curb, -sign * np.pi / 2)
            things.small_thing(spot, palette)
        x += rng.uniform(3.0, 7.5)


def _markings(builder, palette, side):
    """Paint a broken middle line and a crossing on the road."""
    rng, pen = palette.rng, builder.at()
    paint = Material('concrete', (0.6, 0.6, 0.57), (0.3, 0.3, 0.3), 1.0)
    if rng.random() < 0.7:
        for x in np.arange(-36, 36, 6.0):
            pen.box(paint, (x, -0.06, -0.1), (x + 3, 0.06, 0.004))
    if rng.random() < 0.5:
        x = rng.uniform(-8, 8)
        for y in np.arange(-side + 0.3, side - 0.5, 1.0):
            pen.box(paint, (x, y, -0.1), (x + 3, y + 0.5, 0.005))
