# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Floor, ceiling and walls of a room, with a way through to the next one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xstreamvggt_ros.synthetic.building import Builder, Pen
from xstreamvggt_ros.synthetic.materials import Palette
from xstreamvggt_ros.synthetic.scene import Plane

THICK = 0.2


@dataclass(frozen=True)
class Wall:
    """
    A wall seen from within.

    `pen` is at its left foot, x along it, y into the room; `opening` is where (from, to) one can
    walk through it; `overshoot` is how far it goes on into its neighbours.
    """

    pen: Pen
    length: float
    height: float
    opening: tuple[float, float] | None = None
    overshoot: float = THICK

    def draw(self, paint, skirting) -> None:
        """Draw the wall and its skirting about the opening."""
        ends = (-self.overshoot, self.length + self.overshoot)
        pieces = [ends]
        if self.opening:
            left, right = self.opening
            pieces = [(ends[0], left), (right, ends[1])]
            self.pen.box(paint, (left, -THICK, 2.1), (right, 0, self.height))
            # The frame stands a little into the opening, so that no faces coincide.
            for low, high in (
                ((left - 0.07, 0), (left + 0.02, 2.17)),
                ((right - 0.02, 0), (right + 0.07, 2.17)),
                ((left, 2.08), (right, 2.17)),
            ):
                self.pen.box(skirting, (low[0], -THICK - 0.02, low[1]), (high[0], 0.02, high[1]))
        for start, stop in pieces:
            self.pen.box(paint, (start, -THICK, 0), (stop, 0, self.height))
            self.pen.box(skirting, (max(start, 0), 0, 0), (min(stop, self.length), 0.015, 0.08))


@dataclass(frozen=True)
class Shell:
    """A room's `walls` (four), those of the room beyond (three or none) and its extent."""

    walls: tuple[Wall, ...]
    beyond: tuple[Wall, ...]
    size: tuple[float, float, float]

    def planes(self) -> tuple[Plane, ...]:
        """Return floor, ceiling and the four walls."""
        length, width, height = self.size
        return (
            Plane('floor', (0.0, 0.0, 1.0), 0.0),
            Plane('ceiling', (0.0, 0.0, -1.0), -height),
            Plane('wall -x', (1.0, 0.0, 0.0), -length / 2),
            Plane('wall +x', (-1.0, 0.0, 0.0), -length / 2),
            Plane('wall -y', (0.0, 1.0, 0.0), -width / 2),
            Plane('wall +y', (0.0, -1.0, 0.0), -width / 2),
        )

    def core(self):
        """Return the corners of the room itself."""
        length, width, height = self.size
        return (-length / 2, -width / 2, 0.0), (length / 2, width / 2, height)

    def bounds(self):
        """Return the corners of both rooms."""
        lower, upper = self.core()
        feet = [wall.pen.place(x, 0, 0)[:2] for wall in self.beyond for x in (0, wall.length)]
        feet = np.array([*feet, lower[:2], upper[:2]])
        return (*feet.min(0).tolist(), 0.0), (*feet.max(0).tolist(), upper[2])


def make_shell(builder: Builder, palette: Palette, size: tuple[float, float, float]) -> Shell:
    """Draw the shell of a room about the origin, at times with a second one behind a doorway."""
    rng, (length, width, height) = palette.rng, size
    far = np.array([length / 2 + 6, width / 2 + 6, 0])
    pen = builder.at()
    pen.box(palette.floor(), -far - [0, 0, THICK], far)
    pen.box(palette.ceiling(), -far + [0, 0, height], far + [0, 0, height + THICK])
    paint, skirting = palette.wall_paint(), palette.trim()
    if rng.random() < 0.12:
        paint = palette.brick()
    corners = (
        builder.at(-length / 2, -width / 2),
        builder.at(length / 2, -width / 2, 0, 0.5 * np.pi),
        builder.at(length / 2, width / 2, 0, np.pi),
        builder.at(-length / 2, width / 2, 0, 1.5 * np.pi),
    )
    open_side = rng.integers(4) if rng.random() < 0.6 else None
    walls, beyond = [], ()
    for side, corner in enumerate(corners):
        extent = (length, width)[side % 2]
        wall = Wall(corner, extent, height)
        if side == open_side:
            wall, beyond = _doorway(wall, palette)
        wall.draw(paint if rng.random() < 0.7 else palette.wall_paint(), skirting)
        walls.append(wall)
    if rng.random() < 0.3:
        _column(builder, palette, size)
    return Shell(tuple(walls), beyond, size)


def _doorway(wall: Wall, palette: Palette) -> tuple[Wall, tuple[Wall, ...]]:
    """Open a wall and draw the walls of the room behind it: its left, far and right one."""
    rng = palette.rng
    wide = rng.uniform(0.95, min(2.4, wall.length - 0.6))
    left = rng.uniform(0.25, wall.length - wide - 0.25)
    start = max(left - rng.uniform(0.3, 3.0), -1.5)
    stop = min(left + wide + rng.uniform(0.3, 3.0), wall.length + 1.5)
    depth, high = rng.uniform(1.6, 5.0), wall.height
    beyond = (
        Wall(wall.pen.moved(start, -THICK, 0, -0.5 * np.pi), depth, high, None, 0.0),
        Wall(wall.pen.moved(start, -THICK - depth), stop - start, high),
        Wall(wall.pen.moved(stop, -THICK - depth, 0, 0.5 * np.pi), depth, high, None, 0.0),
    )
    paint, skirting = palette.wall_paint(), palette.trim()
    for each in beyond:
        each.draw(paint, skirting)
    opened = Wall(wall.pen, wall.length, wall.height, (left, left + wide))
    # The wall between the rooms reaches as far as the room behind it.
    for low, high_x in ((start - THICK, -THICK), (wall.length + THICK, stop + THICK)):
        if low < high_x:
            wall.pen.box(paint, (low, -THICK, 0), (high_x, 0, wall.height))
    return opened, beyond


def _column(builder: Builder, palette: Palette, size) -> None:
    """Draw a pillar in a corner or a beam under the ceiling."""
    rng, (length, width, height) = palette.rng, size
    paint = palette.wall_paint()
    if rng.random() < 0.5:
        half = rng.uniform(0.12, 0.25)
        x, y = rng.choice([-1, 1], 2) * (length / 2 - half, width / 2 - half)
        builder.at(x, y).box(paint, (-half, -half, 0), (half, half, height))
    else:
        x = rng.uniform(-length / 3, length / 3)
        builder.at(x).box(paint, (-0.15, -width / 2, height - 0.3), (0.15, width / 2, height))
