# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rooms: what they are, how large, and how they are lit."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.synthetic.building import Builder
from xstreamvggt_ros.synthetic.fittings import ceiling_lamps
from xstreamvggt_ros.synthetic.materials import Palette
from xstreamvggt_ros.synthetic.room_layout import RoomLayout
from xstreamvggt_ros.synthetic.room_shell import make_shell, Shell
from xstreamvggt_ros.synthetic.scene import Light, Scene
from xstreamvggt_ros.synthetic.textures import TextureLibrary

# Range of length, width and height, metres, and how common each kind is.
KINDS = {
    'living': ((3.6, 6.5), (3.2, 5.0), (2.4, 2.9)),
    'office': ((4.0, 8.0), (3.5, 6.0), (2.5, 3.1)),
    'corridor': ((8.0, 16.0), (1.9, 2.8), (2.4, 3.0)),
    'storage': ((6.0, 12.0), (5.0, 9.0), (2.8, 4.2)),
}
SHARES = (0.38, 0.32, 0.12, 0.18)
MOST_LIGHTS = 2


def make_room(textures: TextureLibrary, rng: np.random.Generator, clutter: float = 1.0) -> Scene:
    """Build a room about the origin, its floor at z = 0, perhaps with another behind it."""
    kind = str(rng.choice(list(KINDS), p=SHARES))
    size = tuple(float(rng.uniform(*extent)) for extent in KINDS[kind])
    builder, palette = Builder(textures, rng), Palette(rng)
    shell = make_shell(builder, palette, size)
    drawn = len(builder.centres())
    layout = RoomLayout(palette, kind, clutter)
    daylight = [
        light for side in rng.permutation(4) for light in layout.furnish(shell.walls[side])
    ]
    layout.furnish_middle(builder, size[:2])
    interests = builder.centres()[drawn:]
    for wall in shell.beyond:
        layout.furnish(wall)
    lamps = ceiling_lamps(builder, palette, size, lit=not daylight or rng.random() < 0.7)
    warm, level = rng.uniform(0.9, 1.0), rng.uniform(0.16, 0.42)
    return Scene(
        kind='room',
        primitives=builder.primitives(),
        planes=shell.planes(),
        lights=_brightest(daylight + lamps) + _lamp_beyond(builder, palette, shell),
        ambient_up=(level, level * (1 + warm) / 2, level * warm),
        ambient_down=(0.75 * level, 0.72 * level, 0.66 * level * warm),
        sky=None,
        bounds=shell.bounds(),
        core=shell.core(),
        interests=interests if len(interests) else np.array([[0.0, 0.0, 1.0]]),
        textures=textures,
        occlusion_reach=0.3,
    )


def _brightest(lights: list[Light]) -> tuple[Light, ...]:
    return tuple(sorted(lights, key=lambda light: -sum(light.power))[:MOST_LIGHTS])


def _lamp_beyond(builder: Builder, palette: Palette, shell: Shell) -> tuple[Light, ...]:
    """Light the room behind a doorway, at times."""
    if not shell.beyond or palette.rng.random() < 0.3:
        return ()
    far, side = shell.beyond[1], shell.beyond[0]
    pen = far.pen.moved(far.length / 2, side.length / 2)
    return tuple(ceiling_lamps(builder, palette, (2.0, 2.0, far.height), lit=True, about=pen))
