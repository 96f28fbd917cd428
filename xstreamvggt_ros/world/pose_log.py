# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a camera was, in memory that is reserved once; no ROS."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class StampedPose(NamedTuple):
    """When, in nanoseconds since the epoch, and where a camera was: map from camera (4, 4)."""

    stamp_ns: int
    map_from_camera: np.ndarray


class PoseLog:
    """
    Keep the newest `length` poses, by rising stamps; 104 bytes each, taken from the start.

    Objects of their own for each frame's pose would lie for ever between the buffers that a frame
    takes and gives back, and keep the allocator from using that room again.
    """

    def __init__(self, length: int) -> None:
        """Reserve the memory; written to, or the system would provide it only as it fills."""
        self._stamps = np.full(length, 0, np.int64)
        self._poses = np.full((length, 3, 4), 0.0)
        self._end = 0
        self._count = 0

    def __len__(self) -> int:
        """Count the poses."""
        return self._count

    def append(self, stamp_ns: int, map_from_camera: np.ndarray) -> None:
        """Add a pose (4, 4); those that are not before it go, and the oldest where it is full."""
        while self._count and self._stamps[self._end - 1] >= stamp_ns:
            self._end = (self._end - 1) % len(self._stamps)
            self._count -= 1
        self._stamps[self._end] = stamp_ns
        self._poses[self._end] = map_from_camera[:3]
        self._end = (self._end + 1) % len(self._stamps)
        self._count = min(self._count + 1, len(self._stamps))

    def newest(self, most: int | None = None) -> list[StampedPose]:
        """Copy the newest poses, `most` of them or all, the newest last."""
        count = self._count if most is None else min(most, self._count)
        places = np.arange(self._end - count, self._end) % len(self._stamps)
        poses = np.zeros((count, 4, 4))
        poses[:, :3] = self._poses[places]
        poses[:, 3, 3] = 1.0
        stamps = self._stamps[places].tolist()
        return [StampedPose(*each) for each in zip(stamps, poses, strict=True)]

    def scale(self, factor: float) -> None:
        """Multiply all positions."""
        self._poses[:, :, 3] *= factor

    def clear(self) -> None:
        """Forget every pose."""
        self._count = 0
