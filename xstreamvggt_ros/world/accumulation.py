# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of a stream's frames, in bounded memory: the map and the way of the camera."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.pipeline import Reconstruction
from xstreamvggt_ros.world.clouds import Cloud
from xstreamvggt_ros.world.mapping import VoxelMap
from xstreamvggt_ros.world.pose_log import PoseLog, StampedPose

# Poses that a trajectory may have, 104 bytes each; older ones are forgotten.
TRAJECTORY_LENGTH = 100_000


class Accumulation:
    """
    Grow a map and a path, frame by frame; of several cameras, the path is that of the first.

    Frames of another world, or with other axes, replace what there is. When the scale changes,
    what there is follows, about the first camera, which is the map's origin. `version` counts the
    changes, `frames` those of the stream; `first_stamp_ns` is its first one's.
    """

    def __init__(self, voxel_size: float, max_points: int, path_length: int) -> None:
        """Begin empty; `max_points` 0 keeps no map. ValueError: a size that is not above 0."""
        self.version = 0
        self.frames = 0
        self.first_stamp_ns = 0
        self.trajectory = PoseLog(TRAJECTORY_LENGTH)
        self._path_length = path_length
        self._map = VoxelMap(voxel_size, max_points) if max_points else None
        self._map_limits = (voxel_size, max_points)
        self._frame_of_reference: tuple | None = None
        self._scale = 1.0

    def limit(self, voxel_size: float, max_points: int, path_length: int) -> None:
        """Follow a change of the limits; what there is stays, as far as it fits."""
        if (voxel_size, max_points) != self._map_limits:
            cloud = self.cloud()
            self._map = VoxelMap(voxel_size, max_points) if max_points else None
            if self._map is not None:
                self._map.insert(cloud.points, cloud.colours, cloud.confidence)
            self._map_limits = (voxel_size, max_points)
            self.version += 1
        if path_length != self._path_length:
            self._path_length = path_length
            self.version += 1

    @property
    def keeps_map(self) -> bool:
        """Whether clouds are of use."""
        return self._map is not None

    def add(
        self, reconstruction: Reconstruction, cloud: Cloud | None, stamp_ns: int | None
    ) -> None:
        """
        Take in a frame; its `cloud` is not needed where no map is kept.

        One without a stamp is no part of the path, which is ascending: what is not before it goes.
        """
        self._follow(reconstruction)
        if self._map is not None:
            self._map.insert(cloud.points, cloud.colours, cloud.confidence)
        if reconstruction.camera_index == 0 and stamp_ns is not None:
            self.trajectory.append(stamp_ns, reconstruction.map_from_camera)
        if not self.frames:
            self.first_stamp_ns = stamp_ns or 0
        self.frames += 1
        self.version += 1

    @property
    def path(self) -> list[StampedPose]:
        """The newest poses, no more than wanted."""
        return self.trajectory.newest(self._path_length)

    def cloud(self) -> Cloud:
        """Copy the map's points (N, 3), none where no map is kept."""
        if self._map is None:
            nothing = np.empty((0, 3), np.float32)
            return Cloud(nothing, nothing.astype(np.uint8), nothing[:, 0])
        return self._map.cloud()

    def clear(self) -> None:
        """Forget every frame."""
        if self._map is not None:
            self._map.clear()
        self.trajectory.clear()
        self.frames = 0
        self.version += 1

    def _follow(self, reconstruction: Reconstruction) -> None:
        """Forget another world; bring the same one to the frame's scale."""
        reference = (reconstruction.world, reconstruction.world_axes)
        if self._frame_of_reference not in (None, reference):
            self.clear()
        elif reconstruction.scale != self._scale:
            self._rescale(reconstruction.scale / self._scale)
        self._frame_of_reference, self._scale = reference, reconstruction.scale

    def _rescale(self, factor: float) -> None:
        if self._map is not None:
            self._map.rescale(factor, np.zeros(3))
        self.trajectory.scale(factor)
