# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Open ground: a park, a yard or a square with slopes, paths, trees and houses about it."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.synthetic import street_furniture as things
from xstreamvggt_ros.synthetic.ground import height_of
from xstreamvggt_ros.synthetic.scene import BOX

# What stands on open ground, and how common it is.
SCATTERED = {
    things.tree: 0.2,
    things.bush: 0.16,
    things.rocks: 0.1,
    things.ramp: 0.08,
    things.low_wall: 0.1,
    things.small_thing: 0.14,
    things.car: 0.08,
    things.street_lamp: 0.06,
    things.crates: 0.08,
}


def lay_open_ground(builder, palette, ground, half, clutter):
    """Lay sloping ground with paths and beds, houses about it and things upon it."""
    rng = palette.rng
    lawn = palette.lawn()
    main = lawn if rng.random() < 0.5 else palette.stone('asphalt', 'blocks', 'concrete', tile=2.5)
    ground.add(builder, 'ground', (0, 0, 0), rng.uniform(0, 6.28), rng.uniform(0, 0.03), main)
    for index in range(rng.integers(1, 4)):
        azimuth, away = rng.uniform(0, 6.28), rng.uniform(5, 14)
        point = np.array([np.cos(azimuth) * away, np.sin(azimuth) * away, 0])
        point[2] = ground.height(*point[:2])
        paved = palette.stone('asphalt', 'blocks', 'concrete', tile=2.5)
        bank = lawn if rng.random() < 0.6 else paved
        ground.add(builder, f'slope {index}', point, azimuth, rng.uniform(0.06, 0.2), bank)
    for layer in range(rng.integers(3, 9)):
        _patch(builder, palette, ground, half, lawn if main is not lawn else None, layer)
    _far_side(builder, palette, ground, half)
    _scatter(builder, palette, ground, half, int(rng.uniform(35, 70) * clutter))


def _scatter(builder, palette, ground, half, count):
    """Stand up to `count` things about, with ways between them."""
    rng, placed = palette.rng, []
    for _ in range(count):
        x, y = rng.uniform(-1.2, 1.2, 2) * half
        if any(np.hypot(x - a, y - b) < 2.6 for a, b in placed):
            continue
        placed.append((x, y))
        spot = builder.at(x, y, ground.height(x, y) - 0.05, rng.uniform(0, 6.28))
        draw = rng.choice(list(SCATTERED), p=list(SCATTERED.values()))
        draw(spot, palette)


def _patch(builder, palette, ground, half, lawn, layer):
    """Lay a path or a bed with a border upon the sloping ground; later layers lie higher."""
    rng = palette.rng
    x, y = rng.uniform(-0.9, 0.9, 2) * half
    plane = max(ground.planes, key=lambda plane: height_of(plane, x, y))
    normal = np.array(plane.normal)
    along = np.array([np.cos(yaw := rng.uniform(0, 6.28)), np.sin(yaw), 0.0])
    along -= normal * (normal @ along)
    along /= np.linalg.norm(along)
    rotation = np.stack((along, np.cross(normal, along), normal), 1)
    centre = np.array([x, y, height_of(plane, x, y)])
    is_path = rng.random() < 0.5
    size = (rng.uniform(8, 25), rng.uniform(0.7, 1.4)) if is_path else rng.uniform(1.5, 6, 2)
    look, rise = palette.stone('blocks', 'asphalt', 'tiles', 'concrete', tile=2.0), 0.0
    if lawn is not None and not is_path:
        look, rise = lawn, rng.uniform(0.05, 0.15)
        border = np.array([size[0] + 0.1, size[1] + 0.1, rise + 0.02])
        builder.add(BOX, centre - 0.02 * normal, rotation, border, palette.stone('concrete'))
        rise += 0.02
    # Faces that coincide would flicker.
    rise += 0.006 + 0.004 * layer
    builder.add(BOX, centre, rotation, np.array([*size, rise]), look)


def _far_side(builder, palette, ground, half):
    """Close the view with houses and trees all round."""
    rng = palette.rng
    count = rng.integers(9, 16)
    for index in range(count):
        azimuth = (index + rng.uniform(-0.3, 0.3)) / count * 2 * np.pi
        away = 1.35 * max(half) + rng.uniform(0, 16)
        x, y = np.cos(azimuth) * away, np.sin(azimuth) * away
        # A house stands on the lowest ground under it.
        pen = builder.at(x, y, ground.height(x * 0.9, y * 0.9) - 0.6, azimuth + np.pi / 2)
        if rng.random() < 0.45:
            things.house(pen.moved(0, -4), palette, rng.uniform(7, 14), rng.uniform(6, 9))
        else:
            things.tree(pen.moved(0, 0, 0.5), palette)
