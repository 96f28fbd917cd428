# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What there is to show, whoever said it: the newest of everything and nothing older.

One thread puts, another takes. Nothing queues up, so whoever looks slowly misses what was between.
"""

from __future__ import annotations

from dataclasses import dataclass
import threading
from typing import Any

import numpy as np

# Metres from the map's origin beyond which nothing is shown, for sums and squares to stay finite.
FAR = 1e9


@dataclass(frozen=True, eq=False)
class Points:
    """Points (N, 3) float32 in the map, rgb (N, 3) uint8 and confidence (N,) float32."""

    points: np.ndarray
    rgb: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True, eq=False)
class Pose:
    """Where a camera is in the map: position (3,) and quaternion (4,), x y z w."""

    position: np.ndarray
    quaternion: np.ndarray


@dataclass(frozen=True, eq=False)
class Lens:
    """
    Intrinsics (3, 3) in pixels of an image of height x width.

    frame: where it is, of one of several cameras; the pose is that of the first.
    """

    intrinsics: np.ndarray
    height: int
    width: int
    frame: str | None = None

    @property
    def fov(self) -> float:
        """The vertical field of view in radians."""
        return float(2 * np.arctan(self.height / 2 / self.intrinsics[1, 1]))

    @property
    def aspect(self) -> float:
        """Width over height, of pixels as wide as they are seen."""
        focal = self.intrinsics[1, 1] / self.intrinsics[0, 0]
        return float(self.width / self.height * focal)


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines (N, 2, 3) in the map, from one point to another, and their rgb (N, 2, 3) uint8."""

    points: np.ndarray
    rgb: np.ndarray

    def same(self, other: Lines | None) -> bool:
        """Say whether others are the same lines."""
        return (
            other is not None
            and np.array_equal(self.points, other.points)
            and np.array_equal(self.rgb, other.rgb)
        )


@dataclass(frozen=True)
class Said:
    """A status of /diagnostics: level 0 to 3, its sentence, and keys with values."""

    level: int
    message: str
    values: dict[str, str]


# What may be put, and of what type. Pictures are (H, W, 3) uint8, maps (H, W) float32, a path
# (N, 3); transforms are poses in the map by name of the frame.
KINDS = {
    'points': Points,
    'map': Points,
    'image': np.ndarray,
    'depth': np.ndarray,
    'confidence': np.ndarray,
    'lens': Lens,
    'pose': Pose,
    'path': np.ndarray,
    'transforms': dict,
    'closures': Lines,
    'stream': int,
    'said': Said,
}


class PageContents:
    """The newest of each of KINDS, with how often it was put; safe between threads."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[int, Any]] = {}

    def put(self, kind: str, value: Any) -> None:
        """Replace what there is of a kind; TypeError where it is something else."""
        if not isinstance(value, KINDS[kind]):
            raise TypeError(f'{kind} is a {type(value).__name__}, not {KINDS[kind].__name__}')
        with self._lock:
            count, _ = self._kept.get(kind, (0, None))
            self._kept[kind] = count + 1, value

    def get(self, kind: str) -> Any | None:
        """Return the newest of a kind, None where there is none."""
        return self._kept.get(kind, (0, None))[1]

    def count(self, kind: str) -> int:
        """Return how often a kind was put."""
        return self._kept.get(kind, (0, None))[0]


class Looker:
    """Tells one who looks now and then what is new since."""

    def __init__(self, contents: PageContents) -> None:
        """Look at these."""
        self._contents = contents
        self._seen: dict[str, int] = {}

    def new(self, kind: str) -> Any | None:
        """Return the newest of a kind, None where it was looked at already."""
        count = self._contents.count(kind)
        if count == self._seen.get(kind, 0):
            return None
        self._seen[kind] = count
        return self._contents.get(kind)
