# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Loop closures that a SLAM system beside the node publishes, as lines in the map.

No message of ROS's own says what a loop closure is. SLAM systems draw theirs for RViz, as
visualization_msgs/Marker or MarkerArray of lines: so do Cartographer, SLAM Toolbox and others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import time

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.view.contents import Lines, Pose
from xstreamvggt_ros.view.reading import near, pose_of

# visualization_msgs/Marker.
STRIP, LIST = 4, 5
ADD, DELETE, DELETE_ALL = 0, 2, 3
# A graph of years has fewer; whoever sends more is shown in part.
MOST_MARKERS, MOST_LINES = 1024, 8192


class Closures:
    """The lines of markers, by namespace and number, as those who publish them replace them."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with none; `now` gives seconds, by which lifetimes end."""
        self._now = now
        self._markers: dict[tuple[str, int], tuple[str, Lines, float]] = {}

    def take(self, message) -> None:
        """Take a Marker or MarkerArray; ValueError where a marker's lines are beyond FAR."""
        for marker in getattr(message, 'markers', [message]):
            key = marker.ns, marker.id
            if marker.action == DELETE_ALL:
                self._markers.clear()
            elif marker.action == DELETE or marker.type not in (STRIP, LIST):
                self._markers.pop(key, None)
            elif marker.action == ADD:
                self._put(key, marker)

    def in_map(self, frames: Mapping[str, Pose]) -> Lines:
        """Return the lines in the map, of markers in frames that are known there."""
        now = self._now()
        self._markers = {key: each for key, each in self._markers.items() if each[2] > now}
        found = [
            _moved(lines, frames[frame])
            for frame, lines, _ in self._markers.values()
            if frame in frames
        ]
        points = np.concatenate([each.points for each in found] or [np.zeros((0, 2, 3))])
        rgb = np.concatenate([each.rgb for each in found] or [np.zeros((0, 2, 3), np.uint8)])
        return Lines(points.astype(np.float32), rgb)

    def _put(self, key: tuple[str, int], marker) -> None:
        self._markers.pop(key, None)
        # Before anything is summed up, or a message of many would hold the page up.
        if len(self._markers) >= MOST_MARKERS:
            return
        room = MOST_LINES - sum(len(each[1].points) for each in self._markers.values())
        if room > 0:
            self._markers[key] = marker.header.frame_id, _lines(marker, room), self._end(marker)

    def _end(self, marker) -> float:
        lifetime = marker.lifetime.sec + 1e-9 * marker.lifetime.nanosec
        return self._now() + lifetime if lifetime > 0 else np.inf


def _lines(marker, most: int) -> Lines:
    """Read at most so many lines (N, 2, 3) of a marker, where its pose puts them in its frame."""
    given = marker.points[: 2 * most if marker.type == LIST else most + 1]
    points = np.array([(each.x, each.y, each.z) for each in given], np.float64).reshape(-1, 3)
    if not near(points).all():
        raise ValueError(
            f'marker {marker.id} of {marker.ns!r} has points that are not finite, or too far'
        )
    colours = marker.colors[: len(points)]
    if len(colours) != len(points):
        colours = [marker.color] * len(points)
    rgb = np.array([(each.r, each.g, each.b) for each in colours], np.float64).reshape(-1, 3)
    rgb = (255 * np.nan_to_num(rgb).clip(0, 1)).round().astype(np.uint8)
    if marker.type == LIST:
        even = len(points) // 2 * 2
        points, rgb = points[:even].reshape(-1, 2, 3), rgb[:even].reshape(-1, 2, 3)
    else:
        points, rgb = (np.stack([each[:-1], each[1:]], axis=1) for each in (points, rgb))
    return _moved(Lines(points, rgb), _pose(marker))


def _pose(marker) -> Pose:
    """Read where a marker is; an orientation of zeros, as of a new message, is none."""
    turn = marker.pose.orientation
    if turn.x == turn.y == turn.z == turn.w == 0:
        place = marker.pose.position
        position = np.array([place.x, place.y, place.z])
        if not near(position).all():
            raise ValueError(f'marker {marker.id} of {marker.ns!r} is at {position.tolist()}')
        return Pose(position, np.array([0.0, 0, 0, 1]))
    return pose_of(marker.pose)


def _moved(lines: Lines, pose: Pose) -> Lines:
    turned = Rotation.from_quat(pose.quaternion).apply(lines.points.reshape(-1, 3))
    return Lines((turned + pose.position).reshape(-1, 2, 3), lines.rgb)
