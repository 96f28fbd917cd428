# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Collect primitives in frames that are convenient to build furniture in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from xstreamvggt_ros.synthetic.scene import BOX, CYLINDER, ELLIPSOID, Material, Primitives
from xstreamvggt_ros.synthetic.textures import TextureLibrary


def rotation_matrix(yaw: float, pitch: float = 0.0, roll: float = 0.0) -> np.ndarray:
    """Return Rz(yaw) Ry(pitch) Rx(roll), radians."""
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    cr, sr = np.cos(roll), np.sin(roll)
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1.0]])
    about_y = np.array([[cp, 0, sp], [0, 1.0, 0], [-sp, 0, cp]])
    about_x = np.array([[1.0, 0, 0], [0, cr, -sr], [0, sr, cr]])
    return about_z @ about_y @ about_x


class Builder:
    """Collects primitives; `at` gives the pen that draws them."""

    def __init__(self, textures: TextureLibrary, rng: np.random.Generator):
        self.textures = textures
        self.rng = rng
        self._rows = []

    def at(self, x: float = 0.0, y: float = 0.0, z: float = 0.0, yaw: float = 0.0) -> Pen:
        """Return a pen whose origin is there and whose x axis is turned by `yaw`."""
        return Pen(self, np.array([x, y, z], float), yaw)

    def add(self, kind, centre, rotation, half, material: Material) -> None:
        """Append one primitive given in the world."""
        rng = self.rng
        indices = self.textures.indices(material.texture)
        half = np.maximum(half, 1e-3)
        if material.fit:
            extent = 2 * half
            if kind == CYLINDER:
                extent[:2] = 2 * np.pi * half[0]
            scale, offset = 1 / extent, np.full(3, 0.5)
        else:
            scale, offset = np.full(3, 1 / material.tile), rng.uniform(0, 1, 3)
        # No two things are quite alike in tone.
        tone = rng.normal(1.0, 0.04)
        self._rows.append(
            (
                kind,
                centre,
                rotation,
                half,
                int(rng.choice(indices)),
                scale,
                offset,
                np.array(material.colour) * tone,
                np.array(material.second) * tone,
                material.turn,
                material.gloss,
                material.emission,
            )
        )

    def primitives(self) -> Primitives:
        """Return everything drawn so far, sorted by kind."""
        rows = sorted(self._rows, key=lambda row: row[0])
        kinds = [row[0] for row in rows]
        columns = [
            torch.tensor(np.array(column), dtype=torch.float32)
            for column in list(zip(*rows, strict=True))[1:]
        ]
        centre, rotation, half, texture, scale, offset, colour, second, *single = columns
        turn, gloss, emission = (column[:, None] for column in single)
        return Primitives(
            counts=tuple(kinds.count(kind) for kind in (BOX, CYLINDER, ELLIPSOID)),
            centre=centre,
            rotation=rotation,
            half=half,
            texture=texture.long(),
            uv_scale=scale,
            uv_offset=offset,
            colour=colour,
            second=second,
            turn=turn,
            gloss=gloss,
            emission=emission,
        )

    def centres(self) -> np.ndarray:
        """Return the centres of everything drawn so far, (P, 3)."""
        return np.array([row[1] for row in self._rows]).reshape(-1, 3)


@dataclass(frozen=True)
class Pen:
    """Draws in a frame that stands upright in the world: z up, turned by `yaw`."""

    builder: Builder
    origin: np.ndarray
    yaw: float

    def moved(self, x: float, y: float, z: float = 0.0, yaw: float = 0.0) -> Pen:
        """Return a pen at a place given in this one's frame."""
        return replace(self, origin=self.place(x, y, z), yaw=self.yaw + yaw)

    def place(self, x: float, y: float, z: float) -> np.ndarray:
        """Return the world position of a local one."""
        return self.origin + rotation_matrix(self.yaw) @ np.array([x, y, z])

    def box(self, material, low, high) -> None:
        """Draw an upright box between two local corners."""
        low, high = np.asarray(low, float), np.asarray(high, float)
        self._add(BOX, material, (low + high) / 2, (high - low) / 2)

    def tilted_box(self, material, centre, size, yaw=0.0, pitch=0.0, roll=0.0) -> None:
        """Draw a box of any attitude; positive pitch lowers its +x end."""
        self._add(BOX, material, centre, np.asarray(size, float) / 2, yaw, pitch, roll)

    def cylinder(self, material, foot, radius, height) -> None:
        """Draw a standing cylinder; `foot` is the centre of its base."""
        x, y, z = foot
        self._add(CYLINDER, material, (x, y, z + height / 2), (radius, radius, height / 2))

    def lying_cylinder(self, material, centre, radius, length, yaw=0.0, pitch=np.pi / 2) -> None:
        """Draw a cylinder along local x (turned by yaw), or leaning by `pitch` from upright."""
        self._add(CYLINDER, material, centre, (radius, radius, length / 2), yaw, pitch)

    def ellipsoid(self, material, centre, half, yaw=0.0, pitch=0.0) -> None:
        """Draw an ellipsoid."""
        self._add(ELLIPSOID, material, centre, half, yaw, pitch)

    def _add(self, kind, material, centre, half, yaw=0.0, pitch=0.0, roll=0.0):
        rotation = rotation_matrix(self.yaw + yaw, pitch, roll)
        self.builder.add(kind, self.place(*centre), rotation, np.asarray(half, float), material)
