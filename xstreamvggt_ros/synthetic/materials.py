# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Muted materials with the tones of the world."""

from __future__ import annotations

import colorsys

import numpy as np

from xstreamvggt_ros.synthetic.scene import Material


def linear(red: float, green: float, blue: float) -> tuple[float, float, float]:
    """Take a display colour in [0, 1] to linear albedo, kept within what materials reflect."""
    return tuple(float(np.clip(value**2.2, 0.02, 0.85)) for value in (red, green, blue))


class Palette:
    """
    Draws the materials of one place.

    Hue, saturation and value of each kind are drawn about what that material has in the world;
    most man-made colours are low in chroma and warm.
    """

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.wood_hue = rng.uniform(0.065, 0.105)
        self.wood_value = rng.uniform(0.35, 0.75)
        self._trim = self._draw_trim()

    def colour(self, hue, saturation, value, spread=0.03):
        """Return one linear colour near the display hue, saturation and value."""
        rng = self.rng
        hue = (hue + rng.normal(0, spread)) % 1
        saturation = float(np.clip(saturation * rng.normal(1, 0.2), 0, 0.75))
        value = float(np.clip(value * rng.normal(1, 0.08), 0.1, 0.93))
        return linear(*colorsys.hsv_to_rgb(hue, saturation, value))

    def muted(self, lightest=0.85, darkest=0.15, chroma=0.3):
        """Return any muted colour; warm ones are commoner, strong ones rare."""
        rng = self.rng
        hue = rng.choice(
            [rng.uniform(0, 0.15), rng.uniform(0.5, 0.66), rng.uniform(0, 1)], p=[0.58, 0.27, 0.15]
        )
        # Strong colours are rare, and hardly ever light.
        saturation = min(chroma * rng.gamma(1.4, 0.5), 0.6)
        value = rng.uniform(darkest, lightest)
        return self.colour(hue, saturation * (1.25 - 0.6 * value), value)

    def grey(self, least=0.2, most=0.8):
        """Return a nearly neutral tone."""
        return self.colour(self.rng.uniform(0.05, 0.65), 0.04, self.rng.uniform(least, most))

    def _draw_trim(self) -> Material:
        rng = self.rng
        choice = rng.random()
        if choice < 0.55:
            colour = self.colour(0.11, 0.05, rng.uniform(0.72, 0.92))
        elif choice < 0.8:
            colour = self.colour(self.wood_hue, 0.42, self.wood_value, 0.01)
            return Material('wood', colour, self.darker(colour), 0.9, gloss=0.2)
        else:
            colour = self.grey(0.2, 0.6)
        return Material('plaster', colour, self.darker(colour), 1.2, gloss=0.3)

    def trim(self) -> Material:
        """Return what this place's frames and skirting are made of; seldom something else."""
        return self._trim if self.rng.random() < 0.9 else self._draw_trim()

    def darker(self, colour, factor=0.55):
        """Return the colour with less light."""
        return tuple(value * factor for value in colour)

    def pick(self, *names):
        """Choose a name."""
        return str(self.rng.choice(names))

    def wall_paint(self) -> Material:
        """Return paint or wallpaper, mostly light."""
        colour = self.muted(0.9, 0.6, 0.12)
        texture = self.rng.choice(
            ['plaster', 'plaster', 'wallpaper', 'stripes', 'concrete'], p=[0.3, 0.3, 0.2, 0.1, 0.1]
        )
        second = self.darker(colour, self.rng.uniform(0.72, 0.92))
        return Material(str(texture), colour, second, tile=self.rng.uniform(1.5, 2.6))

    def ceiling(self) -> Material:
        """Return a white or light grey ceiling, plain or of panels."""
        colour = self.grey(0.75, 0.93)
        texture = self.pick('plaster', 'plaster', 'tiles', 'concrete')
        return Material(texture, colour, self.darker(colour, 0.7), self.rng.uniform(1.8, 3.0))

    def floor(self) -> Material:
        """Return boards, tiles, carpet, stone or screed."""
        rng = self.rng
        kind = self.pick(
            'planks',
            'planks',
            'tiles',
            'carpet',
            'checker',
            'concrete',
            'marble',
            'terrazzo',
            'blocks',
        )
        turn = bool(rng.integers(2))
        if kind == 'planks':
            colour = self.colour(self.wood_hue, 0.42, rng.uniform(0.35, 0.75), 0.01)
            return Material(
                kind,
                colour,
                self.darker(colour, 0.35),
                rng.uniform(1.0, 1.8),
                turn=turn,
                gloss=rng.uniform(0, 0.5),
            )
        colour = self.muted(0.75, 0.3, 0.12)
        second = self.darker(colour, rng.uniform(0.4, 0.75))
        gloss = 0.0 if kind in ('carpet', 'concrete') else rng.uniform(0.1, 0.7)
        return Material(kind, colour, second, rng.uniform(1.2, 2.6), turn=turn, gloss=gloss)

    def wood(self, turn: bool = False) -> Material:
        """Return furniture wood of about this place's tone, or lacquer."""
        rng = self.rng
        if rng.random() < 0.25:
            return self.lacquer()
        value = float(np.clip(self.wood_value + rng.normal(0, 0.08), 0.2, 0.85))
        colour = self.colour(self.wood_hue, 0.38, value, 0.01)
        return Material(
            'wood',
            colour,
            self.darker(colour, 0.65),
            rng.uniform(0.6, 1.2),
            turn=turn,
            gloss=rng.uniform(0, 0.4),
        )

    def lacquer(self) -> Material:
        """Return a painted board."""
        colour = self.muted(0.88, 0.25, 0.16)
        return Material(
            self.pick('plaster', 'metal'),
            colour,
            self.darker(colour, 0.7),
            1.2,
            gloss=self.rng.uniform(0.1, 0.5),
        )

    def fabric(self) -> Material:
        """Return cloth."""
        colour = self.muted(0.75, 0.15, 0.35)
        texture = self.pick('fabric', 'fabric', 'stripes', 'carpet', 'wallpaper')
        second = self.muted(0.75, 0.15, 0.35) if texture == 'stripes' else self.darker(colour)
        return Material(texture, colour, second, self.rng.uniform(0.4, 0.9))

    def metal(self) -> Material:
        """Return bare or painted metal."""
        colour = self.grey(0.25, 0.75)
        return Material('metal', colour, self.darker(colour, 1.4), 0.8, gloss=0.6)

    def plastic(self) -> Material:
        """Return plastic, at times of a stronger colour."""
        colour = self.muted(0.8, 0.12, 0.4)
        return Material('plaster', colour, self.darker(colour), 0.6, gloss=0.5)

    def leaves(self) -> Material:
        """Return foliage."""
        colour = self.colour(self.rng.uniform(0.17, 0.32), 0.42, self.rng.uniform(0.35, 0.55))
        return Material('leaves', colour, self.darker(colour, 0.35), self.rng.uniform(0.6, 1.1))

    def tree_leaves(self) -> Material:
        """Return foliage on the scale of a tree."""
        leaves = self.leaves()
        return Material('leaves', leaves.colour, leaves.second, self.rng.uniform(1.2, 2.5))

    def fitted(self, texture: str, chroma: float = 0.0, gloss: float = 0.0) -> Material:
        """Return a picture, door front, row of books, ... that fills each face."""
        light = self.muted(0.85, 0.45, chroma) if chroma else self.grey(0.75, 0.9)
        return Material(texture, light, self.darker(light, 0.6), fit=True, gloss=gloss)

    def lawn(self) -> Material:
        """Return grass with dry patches."""
        rng = self.rng
        green = self.colour(rng.uniform(0.17, 0.26), 0.36, rng.uniform(0.36, 0.5))
        return Material('grass', green, self.colour(0.12, 0.4, 0.5), rng.uniform(1.5, 3))

    def stone(self, *textures: str, tile: float = 2.0, darkest=0.35, lightest=0.7) -> Material:
        """Return stone, concrete, asphalt or render of near-neutral tone."""
        colour = self.muted(lightest, darkest, 0.09)
        return Material(
            self.pick(*textures), colour, self.darker(colour, self.rng.uniform(0.5, 0.8)), tile
        )

    def brick(self, tile: float = 1.2) -> Material:
        """Return brickwork."""
        if self.rng.random() < 0.25:
            return self.stone('bricks', tile=tile, darkest=0.4, lightest=0.8)
        colour = self.colour(self.rng.uniform(0.025, 0.075), 0.36, self.rng.uniform(0.42, 0.65))
        return Material('bricks', colour, self.grey(0.5, 0.75), tile)
