# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The transforms that a bag holds on /tf and /tf_static, by the nearest stamp."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.files.stamped_poses import StampedPoses
from xstreamvggt_ros.geometry import invert_rigid, rigid
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.inputs.problems import Problems


class BagTransforms:
    """Frames in their parents; taken up message by message, then asked."""

    def __init__(self, problems: Problems) -> None:
        """Begin with none."""
        self._problems = problems
        self._parents: dict[str, str] = {}
        self._static: dict[str, np.ndarray] = {}
        self._moving: dict[str, tuple[list[int], list[np.ndarray]]] = {}
        self._tracks: dict[str, StampedPoses] = {}

    def take(self, message, static: bool) -> None:
        """Take up a TFMessage; a frame that changes its parent keeps the first."""
        for each in message.transforms:
            self.take_one(each, static)

    def take_one(self, stamped, static: bool = False) -> None:
        """Take up a TransformStamped."""
        parent, child = name_of(stamped.header.frame_id), name_of(stamped.child_frame_id)
        if self._parents.setdefault(child, parent) != parent:
            self._problems.add(
                f'transforms of {child} in {parent} are left out: it is in {self._parents[child]}'
            )
            return
        transform = stamped.transform
        matrix = matrix_of(transform.translation, transform.rotation)
        if matrix is None:
            self._problems.add(f'a transform of {child} in {parent} is no rigid motion')
        elif static:
            self._static[child] = matrix
        else:
            stamps, matrices = self._moving.setdefault(child, ([], []))
            stamps.append(stamp_ns(stamped.header))
            matrices.append(matrix)

    def root_of(self, frame: str) -> str:
        """Give the frame that a frame's chain of parents ends in."""
        return self._ancestors(name_of(frame))[-1]

    def connected(self, target: str, source: str) -> bool:
        """Tell whether there is a way from one frame to the other."""
        return self.root_of(target) == self.root_of(source)

    def lookup(self, target: str, source: str, at_ns: int, tolerance_ns: int) -> np.ndarray | None:
        """
        Give the (4, 4) that takes `source` to `target`.

        None where the frames are not connected, or one between them has no transform within
        `tolerance_ns`.
        """
        up_source, up_target = (self._ancestors(name_of(each)) for each in (source, target))
        common = next((name for name in up_source if name in up_target), None)
        if common is None:
            return None
        climbs = (
            self._climb(chain[: chain.index(common)], at_ns, tolerance_ns)
            for chain in (up_source, up_target)
        )
        from_source, from_target = climbs
        if from_source is None or from_target is None:
            return None
        return invert_rigid(from_target) @ from_source

    def _ancestors(self, frame: str) -> list[str]:
        chain = [frame]
        while chain[-1] in self._parents and self._parents[chain[-1]] not in chain:
            chain.append(self._parents[chain[-1]])
        return chain

    def _climb(self, frames: list[str], at_ns: int, tolerance_ns: int) -> np.ndarray | None:
        matrix = np.eye(4)
        for frame in frames:
            step = self._static.get(frame)
            if step is None:
                step = self._track(frame).nearest(at_ns, tolerance_ns)
            if step is None:
                return None
            matrix = step @ matrix
        return matrix

    def _track(self, frame: str) -> StampedPoses:
        if frame not in self._tracks:
            self._tracks[frame] = StampedPoses.sorted(*self._moving.get(frame, ([], [])))
        return self._tracks[frame]


def name_of(frame: str) -> str:
    """Write a frame's name as tf2 does, without a leading slash."""
    return frame.lstrip('/')


def stamp_ns(header) -> int:
    """Give a header's stamp in nanoseconds."""
    return header.stamp.sec * NANOSECONDS + header.stamp.nanosec


def matrix_of(position, orientation) -> np.ndarray | None:
    """Build a rigid (4, 4) of a message's vector and quaternion; None where it cannot be one."""
    place = np.array([position.x, position.y, position.z])
    turn = np.array([orientation.x, orientation.y, orientation.z, orientation.w])
    if not (np.isfinite(place).all() and np.isfinite(turn).all() and turn.any()):
        return None
    return rigid(Rotation.from_quat(turn).as_matrix(), place)
