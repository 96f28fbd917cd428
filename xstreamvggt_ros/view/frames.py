# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frames of /tf and /tf_static, each where it is in the map."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.view.contents import Pose
from xstreamvggt_ros.view.reading import pose_of

# A robot has some dozens; whoever invents names without end is not followed.
MOST_FRAMES = 64


class Frames:
    """The newest transform of every frame from its parent."""

    def __init__(self, root: str = 'map') -> None:
        """Take the name of the map's frame, where the page has its origin."""
        self.root = root
        self._in_parent: dict[str, tuple[str, Pose]] = {}

    def put(self, child: str, parent: str, pose: Pose) -> None:
        """Take the pose of a frame in its parent."""
        if child in self._in_parent or len(self._in_parent) < MOST_FRAMES:
            self._in_parent[child] = parent, pose

    def take(self, transform) -> None:
        """Take a geometry_msgs/TransformStamped; ValueError where it is nowhere."""
        self.put(transform.child_frame_id, transform.header.frame_id, pose_of(transform.transform))

    def in_map(self) -> dict[str, Pose]:
        """Return the poses in the map of all frames that lead there, the map's own included."""
        found = {self.root: Pose(np.zeros(3), np.array([0.0, 0, 0, 1]))}
        for name in self._in_parent:
            if (pose := self._resolved(name)) is not None:
                found[name] = pose
        return found

    def _resolved(self, name: str) -> Pose | None:
        chain = []
        while name != self.root:
            # A circle of transforms is longer than there are frames.
            if name not in self._in_parent or len(chain) > len(self._in_parent):
                return None
            name, pose = self._in_parent[name]
            chain.append(pose)
        return _composed(reversed(chain))


def _composed(poses: Iterable[Pose]) -> Pose:
    position, turn = np.zeros(3), Rotation.identity()
    for pose in poses:
        position = position + turn.apply(pose.position)
        turn = turn * Rotation.from_quat(pose.quaternion)
    return Pose(position, turn.as_quat())
