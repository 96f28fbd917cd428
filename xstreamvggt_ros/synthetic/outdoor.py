# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Outdoor places and their daylight."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.synthetic.building import Builder
from xstreamvggt_ros.synthetic.ground import Ground
from xstreamvggt_ros.synthetic.materials import Palette
from xstreamvggt_ros.synthetic.open_ground import lay_open_ground
from xstreamvggt_ros.synthetic.scene import Light, Scene, Sky
from xstreamvggt_ros.synthetic.street import lay_street
from xstreamvggt_ros.synthetic.textures import TextureLibrary


def make_outdoor(
    textures: TextureLibrary, rng: np.random.Generator, clutter: float = 1.0
) -> Scene:
    """Build a street or open ground about the origin."""
    builder, palette = Builder(textures, rng), Palette(rng)
    ground = Ground()
    if rng.random() < 0.55:
        kind, half = 'street', (rng.uniform(22, 32), rng.uniform(6.5, 9.5))
        lay_street(builder, palette, ground, half, clutter)
    else:
        kind, half = 'open', (rng.uniform(12, 20), rng.uniform(10, 17))
        lay_open_ground(builder, palette, ground, half, clutter)
    light, up, down, sky = _daylight(rng)
    heights = [ground.height(sx * half[0], sy * half[1]) for sx in (-1, 1) for sy in (-1, 1)]
    bounds = ((-half[0], -half[1], min(heights + [0.0])), (*half, max(heights) + 5.0))
    return Scene(
        kind=kind,
        primitives=builder.primitives(),
        planes=tuple(ground.planes),
        lights=light,
        ambient_up=up,
        ambient_down=down,
        sky=sky,
        bounds=bounds,
        core=bounds,
        interests=_interests(builder, half),
        textures=textures,
        occlusion_reach=0.6,
    )


def _interests(builder, half):
    centres = builder.centres()
    near = (np.abs(centres[:, 0]) < half[0] + 8) & (np.abs(centres[:, 1]) < half[1] + 8)
    near &= centres[:, 2] > 0.2
    return centres[near] if near.any() else np.array([[0.0, 0.0, 1.5]])


def _daylight(rng):
    """Return sun, ambient light from above and below, and sky, from overcast to clear."""
    clear = rng.random()
    azimuth, height = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 1.2)
    towards = np.array(
        [np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height)]
    )
    warm = 1 - 0.35 * (1 - np.sin(height))
    strength = 0.0 if clear < 0.3 else rng.uniform(0.5, 1.3)
    power = tuple(float(strength * value) for value in (1.0, 0.5 + 0.5 * warm, warm))
    distance = 150.0
    sun = Light(
        tuple(towards * distance), tuple(-towards), power, distance, 1.0, 40 / distance, True
    )
    level = 0.75 if strength == 0 else rng.uniform(0.3, 0.5)
    blue = 1.0 if strength == 0 else rng.uniform(1.05, 1.25)
    up = (0.95 * level, level, blue * level)
    down = (0.45 * level, 0.43 * level, 0.38 * level)
    bright = rng.uniform(0.75, 1.0)
    if strength == 0:
        sky = Sky(
            (0.75 * bright, 0.78 * bright, 0.82 * bright),
            (0.95 * bright,) * 3,
            0.3,
            tuple(rng.uniform(0, 1, 2)),
        )
    else:
        sky = Sky(
            (0.16 * bright, 0.32 * bright, 0.62 * bright),
            (0.62 * bright, 0.76 * bright, 0.92 * bright),
            rng.uniform(0.2, 1.0),
            tuple(rng.uniform(0, 1, 2)),
        )
    return ((sun,) if strength else ()), up, down, sky
