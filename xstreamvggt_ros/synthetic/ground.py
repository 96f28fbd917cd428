# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground of several slopes."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.synthetic.building import Builder
from xstreamvggt_ros.synthetic.scene import BOX, Material, Plane

# Half of the ground's width, metres: beyond it is the horizon.
EXTENT = 400.0


class Ground:
    """Planes of which the highest is the ground, so that it only ever bends upwards."""

    def __init__(self):
        self.planes: list[Plane] = []

    def add(self, builder: Builder, name, point, azimuth, slope, material: Material) -> None:
        """Add a plane through `point` that rises towards `azimuth` by `slope` radians."""
        rotation = _tilt(azimuth, slope)
        normal = rotation[:, 2]
        thick = 1.0
        centre = np.asarray(point, float) - thick / 2 * normal
        builder.add(BOX, centre, rotation, np.array([EXTENT, EXTENT, thick / 2]), material)
        self.planes.append(Plane(name, tuple(normal.tolist()), float(normal @ point)))

    def height(self, x: float, y: float) -> float:
        """Return the ground's height at a place."""
        return max(height_of(plane, x, y) for plane in self.planes)


def height_of(plane: Plane, x: float, y: float) -> float:
    """Return the height of a plane at a place."""
    return (plane.offset - plane.normal[0] * x - plane.normal[1] * y) / plane.normal[2]


def _tilt(azimuth, slope) -> np.ndarray:
    """Return axes whose third is the normal of ground that rises towards `azimuth`."""
    uphill = np.array(
        [np.cos(azimuth) * np.cos(slope), np.sin(azimuth) * np.cos(slope), np.sin(slope)]
    )
    across = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    return np.stack((uphill, across, np.cross(uphill, across)), 1)
