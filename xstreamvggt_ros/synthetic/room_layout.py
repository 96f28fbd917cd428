# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where things stand in a room: along the walls from left to right, and free in the middle."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.synthetic import fittings, furniture, small_things, storage
from xstreamvggt_ros.synthetic.building import Builder, Pen
from xstreamvggt_ros.synthetic.materials import Palette
from xstreamvggt_ros.synthetic.room_shell import Wall
from xstreamvggt_ros.synthetic.scene import Light, Material


def _about(draw, reach):
    """Turn what is drawn about a pen's origin into a piece that stands at a wall."""

    def piece(pen: Pen, palette: Palette, width: float, depth: float) -> float:
        draw(pen.moved(0, depth / 2), palette)
        return reach

    return piece


def _plant(pen: Pen, palette: Palette, width: float, depth: float) -> float:
    height = palette.rng.uniform(0.6, 1.4)
    small_things.plant(pen.moved(0, depth / 2), palette, height)
    return height + 0.2


def _parcels(pen: Pen, palette: Palette, width: float, depth: float) -> float:
    small_things.parcels(pen, palette, width, depth, palette.rng.integers(1, 5))
    return 0.9


# What draws a piece, the range of its width and of its depth, metres.
PIECES = {
    'sofa': (furniture.sofa, (1.4, 2.4), (0.8, 1.0)),
    'shelf': (storage.shelf, (0.6, 1.8), (0.26, 0.4)),
    'wardrobe': (storage.wardrobe, (0.8, 2.0), (0.5, 0.65)),
    'sideboard': (storage.sideboard, (0.9, 2.2), (0.38, 0.6)),
    'bed': (furniture.bed, (0.95, 1.8), (1.95, 2.1)),
    'table': (furniture.table, (0.8, 1.8), (0.6, 0.9)),
    'desk': (furniture.desk, (1.1, 1.8), (0.65, 0.8)),
    'rack': (storage.rack, (1.2, 2.4), (0.45, 0.7)),
    'narrow shelf': (storage.shelf, (0.6, 1.4), (0.22, 0.32)),
    'narrow cupboard': (storage.sideboard, (0.7, 1.6), (0.25, 0.35)),
    'parcels': (_parcels, (0.5, 1.3), (0.4, 0.5)),
    'chair': (furniture.chair, (0.42, 0.5), (0.42, 0.5)),
    'plant': (_plant, (0.5, 0.6), (0.5, 0.6)),
    'lamp': (_about(small_things.floor_lamp, 1.7), (0.45, 0.5), (0.45, 0.5)),
    'bin': (_about(small_things.waste_bin, 0.6), (0.4, 0.4), (0.4, 0.4)),
}
AT_WALLS = {
    'living': ('sofa', 'shelf', 'wardrobe', 'sideboard', 'bed', 'table', 'plant', 'lamp', 'chair'),
    'office': ('desk', 'desk', 'shelf', 'wardrobe', 'sideboard', 'plant', 'bin', 'table'),
    'corridor': ('narrow shelf', 'narrow cupboard', 'chair', 'plant', 'bin'),
    'storage': ('rack', 'rack', 'parcels', 'wardrobe', 'table', 'shelf', 'bin'),
}
UNDER_WINDOWS = ('table', 'parcels', 'plant', 'chair', 'bin')


class RoomLayout:
    """Fills one room; keeps the floor that is taken as rectangles in the world."""

    def __init__(self, palette: Palette, kind: str, clutter: float):
        self.palette, self.kind, self.clutter = palette, kind, clutter
        self.taken: list[np.ndarray] = []

    def furnish(self, wall: Wall) -> list[Light]:
        """Place doors, windows and furniture along a wall; return the windows' light."""
        if wall.opening is None:
            return self._furnish_stretch(wall, 0.02, wall.length - 0.05)
        left, right = wall.opening
        self._reserve(wall.pen, left - 0.3, right + 0.3, 1.2)
        return self._furnish_stretch(wall, 0.02, left - 0.12) + self._furnish_stretch(
            wall, right + 0.12, wall.length - 0.05
        )

    def _furnish_stretch(self, wall: Wall, x: float, stop: float) -> list[Light]:
        rng, palette, lights = self.palette.rng, self.palette, []
        doors, windows = 0, 0
        x += rng.uniform(0, 0.3)
        while x < stop - 0.4:
            room, choice = stop - x, rng.random()
            at = wall.pen.moved(x, 0)
            if choice < (0.16 if doors == 0 else 0.03) and room > 1.1:
                used = fittings.door(at, palette, wall.height)
                self._reserve(wall.pen, x - 0.1, x + used + 0.1, 0.9)
                doors += 1
            elif choice < 0.32 and windows < 3 and room > 1.3:
                used, light = fittings.window(at, palette, wall.height, room)
                lights.append(light)
                windows += 1
                if rng.random() < 0.5:
                    self._stand(wall, str(rng.choice(UNDER_WINDOWS)), x, x + used)
            else:
                used = self._stand_or_hang(wall, x, stop)
            x += used + rng.uniform(0.02, 0.35)
        return lights

    def _stand_or_hang(self, wall: Wall, start: float, stop: float) -> float:
        """Stand a piece at the wall, or none, with pictures above; return the length used."""
        rng = self.palette.rng
        piece = str(rng.choice(AT_WALLS[self.kind]))
        used, top = 0.0, 0.3
        if rng.random() < 0.35 + 0.5 * self.clutter:
            used, top = self._stand(wall, piece, start, stop)
        if not used:
            used = min(rng.uniform(0.4, 1.2), stop - start)
        if top < wall.height - 0.7:
            at = wall.pen.moved(start, 0)
            fittings.hang_on_wall(at, self.palette, used, top, wall.height)
        return used

    def _stand(self, wall: Wall, piece: str, start: float, stop: float) -> tuple[float, float]:
        """Draw a piece where there is room; return its width and height, or (0, 0.3)."""
        rng = self.palette.rng
        draw, (low, high), depths = PIECES[piece]
        width, depth = min(rng.uniform(low, high), stop - start), rng.uniform(*depths)
        if width < 0.75 * low:
            return 0.0, 0.3
        if not self._free(wall.pen, start, start + width, depth + 0.05):
            return 0.0, 0.3
        self._reserve(wall.pen, start, start + width, depth + 0.05)
        top = draw(wall.pen.moved(start + width / 2, 0.02), self.palette, width, depth)
        return width, top

    def furnish_middle(self, builder: Builder, size: tuple[float, float]) -> None:
        """Stand tables with chairs, desks and boxes free in the room, with ways between."""
        rng = self.palette.rng
        if rng.random() < 0.5:
            self._lay_rug(builder, size)
        for _ in range(rng.poisson(3 * self.clutter)):
            self._drop(builder, size)
        if self.kind == 'corridor':
            return
        for _ in range(rng.poisson(self.clutter * size[0] * size[1] / 9)):
            width, depth = rng.uniform(0.7, 1.7), rng.uniform(0.5, 0.9)
            reach = np.hypot(width, depth) / 2 + 0.45
            place = rng.uniform(-1, 1, 2) * np.maximum(np.array(size) / 2 - reach - 0.4, 0)
            box = np.concatenate((place - reach, place + reach))
            if any(_overlap(box, other) for other in self.taken):
                continue
            self.taken.append(box)
            yaw = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.08)
            self._group(builder.at(*place, 0, yaw).moved(0, -depth / 2), width, depth)

    def _lay_rug(self, builder: Builder, size) -> None:
        palette = self.palette
        half = np.minimum((1.3, 0.9), np.array(size) * 0.2)
        look = Material(
            'rug', palette.muted(0.6, 0.2, 0.35), palette.muted(0.8, 0.3, 0.25), fit=True
        )
        builder.at(*palette.rng.normal(0, 0.2, 2)).box(look, (*-half, 0), (*half, 0.012))

    def _drop(self, builder: Builder, size) -> None:
        """Leave something small on the floor."""
        rng, palette = self.palette.rng, self.palette
        pen = builder.at(*(rng.uniform(-0.46, 0.46, 2) * size), 0, rng.uniform(0, 3))
        choice = rng.integers(4)
        if choice == 0:
            pen.ellipsoid(palette.fabric(), (0, 0, 0.13), (0.22, 0.14, 0.16))
        elif choice == 1:
            pen.box(palette.plastic(), (-0.2, -0.14, 0), (0.2, 0.14, rng.uniform(0.1, 0.3)))
        elif choice == 2:
            pen.ellipsoid(palette.plastic(), (0, 0, 0.11), (0.11, 0.11, 0.11))
        else:
            small_things.small_things(pen, palette, 0.4, 0.4, 2)

    def _group(self, pen: Pen, width: float, depth: float) -> None:
        """Draw a free-standing piece with what belongs to it."""
        rng, palette, choice = self.palette.rng, self.palette, self.palette.rng.random()
        if self.kind == 'storage' and choice < 0.6:
            small_things.parcels(pen, palette, width, depth, rng.integers(2, 7))
        elif self.kind == 'office' and choice < 0.6:
            furniture.desk(pen, palette, max(width, 1.1), depth)
            seat = pen.moved(rng.normal(0, 0.1), depth + 0.65, 0, np.pi + rng.normal(0, 0.5))
            furniture.office_chair(seat, palette)
        elif choice < 0.2:
            storage.sideboard(pen, palette, width, depth * 0.7)
        elif self.kind == 'living' and choice < 0.5:
            furniture.table(pen, palette, width, depth, height=0.45)
        else:
            furniture.table(pen, palette, width, depth)
            for turn, y in ((np.pi, depth + 0.35), (0.0, -0.35)):
                for x in [0.0] if width < 1.2 else [-0.35, 0.35]:
                    if rng.random() < 0.7:
                        seat = pen.moved(x, y, 0, turn + rng.normal(0, 0.2))
                        furniture.chair(seat, palette)

    def _strip(self, pen: Pen, start: float, stop: float, depth: float) -> np.ndarray:
        """Return a strip of floor along a wall as (least x, least y, most x, most y)."""
        a, b = pen.place(start, 0, 0)[:2], pen.place(stop, depth, 0)[:2]
        return np.concatenate((np.minimum(a, b), np.maximum(a, b)))

    def _free(self, pen: Pen, start: float, stop: float, depth: float) -> bool:
        strip = self._strip(pen, start, stop, depth)
        return not any(_overlap(strip, other) for other in self.taken)

    def _reserve(self, pen: Pen, start: float, stop: float, depth: float) -> None:
        self.taken.append(self._strip(pen, start, stop, depth))


def _overlap(a, b) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
