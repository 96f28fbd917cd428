# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Looking things up by time: the nearest stamp within a tolerance, never in between."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.files.trajectories import Trajectory
from xstreamvggt_ros.geometry.poses import rigid


def nearest_stamps(stamps_ns: np.ndarray, wanted_ns: np.ndarray, tolerance_ns: int) -> np.ndarray:
    """
    Give for each wanted stamp (N,) the index of the nearest in stamps (M,), ascending; -1: none.

    None is within `tolerance_ns`, which itself still is. Of two as near, the earlier is taken.
    """
    stamps, wanted = (np.asarray(values, dtype=np.int64) for values in (stamps_ns, wanted_ns))
    if not len(stamps):
        return np.full(len(wanted), -1)
    after = np.minimum(np.searchsorted(stamps, wanted), len(stamps) - 1)
    before = np.maximum(after - 1, 0)
    gap_before, gap_after = (np.abs(stamps[each] - wanted) for each in (before, after))
    found = np.where(gap_before <= gap_after, before, after)
    return np.where(np.minimum(gap_before, gap_after) <= tolerance_ns, found, -1)


@dataclass(frozen=True, eq=False)
class StampedPoses:
    """Poses (F, 4, 4) of one frame in another at stamps_ns (F,), ascending."""

    stamps_ns: np.ndarray
    poses: np.ndarray

    @classmethod
    def sorted(cls, stamps_ns: list[int], poses: list[np.ndarray]) -> StampedPoses:
        """Take poses in any order; of several at one stamp the last holds."""
        latest = dict(zip(stamps_ns, poses, strict=True))
        stamps = sorted(latest)
        matrices = np.array([latest[stamp] for stamp in stamps], dtype=np.float64)
        return cls(np.array(stamps, dtype=np.int64), matrices.reshape(-1, 4, 4))

    @classmethod
    def of_trajectory(cls, trajectory: Trajectory) -> StampedPoses:
        """Take a trajectory; lines whose quaternion is zero or not finite are left out."""
        stamps, poses = [], []
        for stamp, position, quaternion in zip(
            trajectory.stamps_ns.tolist(),
            trajectory.positions,
            trajectory.quaternions,
            strict=True,
        ):
            finite = np.isfinite(position).all() and np.isfinite(quaternion).all()
            if finite and quaternion.any():
                stamps.append(stamp)
                poses.append(rigid(Rotation.from_quat(quaternion).as_matrix(), position))
        return cls.sorted(stamps, poses)

    def nearest(self, stamp_ns: int, tolerance_ns: int) -> np.ndarray | None:
        """Give the pose (4, 4) nearest in time, None where none is within the tolerance."""
        (index,) = nearest_stamps(self.stamps_ns, np.array([stamp_ns]), tolerance_ns)
        return None if index < 0 else self.poses[index]
