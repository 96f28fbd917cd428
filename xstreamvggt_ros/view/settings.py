# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What bounds a page, and what the one who looks at it has chosen."""

from __future__ import annotations

from dataclasses import dataclass

LAYERS = ('map', 'frames', 'path', 'cameras', 'transforms', 'loop closures')


@dataclass(frozen=True)
class Bounds:
    """
    How much a page shows at most, so that neither it nor the browser grows.

    map_points: of the map; frames: newest clouds, each of frame_points at most; frusta: cameras
    along the path, with pictures of picture_side pixels; rate: pages drawn a second.
    """

    map_points: int = 200_000
    frames: int = 6
    frame_points: int = 20_000
    frusta: int = 24
    picture_side: int = 160
    rate: float = 10.0


@dataclass(frozen=True)
class Chosen:
    """What the controls say; point_size in metres of the map, shown: names of layers."""

    point_size: float = 0.01
    least_confidence: float = 1.0
    follow: bool = False
    shown: frozenset[str] = frozenset(LAYERS)
