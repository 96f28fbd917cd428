# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A tree of frames that move against one another, with a bounded memory; no ROS."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from xstreamvggt_ros.geometry.poses import invert_rigid, rigid
from xstreamvggt_ros.geometry.stamps import NANOSECONDS

HISTORY_NS = 10 * NANOSECONDS
MAX_FRAMES = 1000
# What has moved within so long is somebody's who still says so.
GIVES_WAY_NS = NANOSECONDS
# Of one frame: ten seconds at a thousand a second.
MAX_SAMPLES = 10_000


class TransformError(ValueError):
    """A transform that is not known, or cannot be; the message says why."""


class TransformMissing(TransformError):
    """A transform between frames that nothing connects, at whatever time."""


@dataclass
class _Edge:
    """A frame's pose in its parent, (4, 4) by stamps in ascending order."""

    parent: str
    static: bool
    # When it was heard of or asked for last, by the count of both; whether it ever was asked for.
    touched: int = 0
    asked: bool = False
    stamps: list[int] = field(default_factory=list)
    poses: dict[int, np.ndarray] = field(default_factory=dict)


class TransformTree:
    """
    Remember where frames were in their parents, `history_ns` nanoseconds back.

    A frame has one parent; one that comes with another parent begins anew under it, as in tf2.
    Where that would close a loop, what has not moved for a second gives way. Of more than
    `max_frames`, the one makes room that was neither heard of nor asked for the longest.
    """

    def __init__(self, history_ns: int = HISTORY_NS, max_frames: int = MAX_FRAMES) -> None:
        """Begin with no frames."""
        self._history_ns = history_ns
        self._max_frames = max_frames
        self._edges: dict[str, _Edge] = {}
        self._touches = 0

    def insert(
        self,
        parent: str,
        child: str,
        stamp_ns: int,
        parent_from_child: np.ndarray,
        static: bool = False,
    ) -> None:
        """Remember a pose (4, 4); TransformError for a loop, a frame in itself."""
        parent, child = _name(parent), _name(child)
        if not parent or not child:
            raise TransformError(f'{parent!r} to {child!r}: a frame has no name')
        edge = self._edges.get(child)
        if edge is None or edge.parent != parent or edge.static != static:
            self._refuse_loop(parent, child, stamp_ns)
            if edge is None and len(self._edges) >= self._max_frames:
                self._make_room()
            edge = self._edges[child] = _Edge(parent, static)
        self._touch(edge)
        # Of a static one the last holds; one from before all that is remembered is a bag's that
        # has begun again.
        if static or (edge.stamps and stamp_ns < edge.stamps[-1] - self._history_ns):
            edge.stamps.clear()
            edge.poses.clear()
        if stamp_ns not in edge.poses:
            insort(edge.stamps, stamp_ns)
        edge.poses[stamp_ns] = parent_from_child
        while (
            edge.stamps[-1] - edge.stamps[0] > self._history_ns or len(edge.stamps) > MAX_SAMPLES
        ):
            del edge.poses[edge.stamps.pop(0)]

    def clear(self) -> None:
        """Forget every frame that moves."""
        self._edges = {child: edge for child, edge in self._edges.items() if edge.static}

    def lookup(self, target: str, source: str, stamp_ns: int) -> np.ndarray:
        """Give the (4, 4) from `source` to `target` at a time; TransformError says what lacks."""
        target, source = _name(target), _name(source)
        up_source, up_target = self._ancestors(source), self._ancestors(target)
        common = next((name for name in up_source if name in up_target), None)
        if common is None:
            raise TransformMissing(self._why_apart(target, source, up_target, up_source))
        to_common = self._climb(up_source[: up_source.index(common)], stamp_ns)
        target_to_common = self._climb(up_target[: up_target.index(common)], stamp_ns)
        return invert_rigid(target_to_common) @ to_common

    def _ancestors(self, name: str) -> list[str]:
        """Give a frame and those above it, up to the root."""
        chain = [name]
        while chain[-1] in self._edges:
            chain.append(self._edges[chain[-1]].parent)
        return chain

    def _climb(self, names: list[str], stamp_ns: int) -> np.ndarray:
        matrix = np.eye(4)
        for name in names:
            matrix = self._at(name, stamp_ns) @ matrix
        return matrix

    def _at(self, name: str, stamp_ns: int) -> np.ndarray:
        """Interpolate a frame's pose in its parent."""
        edge = self._edges[name]
        self._touch(edge)
        edge.asked = True
        if edge.static:
            return edge.poses[edge.stamps[0]]
        if stamp_ns in edge.poses:
            return edge.poses[stamp_ns]
        index = bisect_left(edge.stamps, stamp_ns)
        if index in (0, len(edge.stamps)):
            gap, side = (
                (edge.stamps[0] - stamp_ns, 'before the oldest')
                if index == 0
                else (stamp_ns - edge.stamps[-1], 'after the newest')
            )
            raise TransformError(
                f'{edge.parent} to {name} is not known at {stamp_ns / NANOSECONDS:.3f} s, which '
                f'is {gap / NANOSECONDS:.3f} s {side} transform'
            )
        before, after = edge.stamps[index - 1], edge.stamps[index]
        share = (stamp_ns - before) / (after - before)
        return _between(edge.poses[before], edge.poses[after], share)

    def _touch(self, edge: _Edge) -> None:
        self._touches += 1
        edge.touched = self._touches

    def _make_room(self) -> None:
        """Forget the frame that is least of use."""
        edges = self._edges
        del edges[min(edges, key=lambda name: (edges[name].asked, edges[name].touched))]

    def _refuse_loop(self, parent: str, child: str, stamp_ns: int) -> None:
        chain = self._ancestors(parent)
        if child in chain:
            loop = chain[: chain.index(child)]
            for name in loop:
                edge = self._edges[name]
                if not edge.static and abs(edge.stamps[-1] - stamp_ns) > GIVES_WAY_NS:
                    # Somebody's mistake from before; it must not stand in the way for ever.
                    del self._edges[name]
                    return
            way = ' in '.join(chain[: chain.index(child) + 1])
            raise TransformError(f'{child} in {parent} would close a loop: {way}')

    def _why_apart(self, target: str, source: str, up_target: list, up_source: list) -> str:
        known = self._edges.keys() | {edge.parent for edge in self._edges.values()}
        missing = [name for name in (target, source) if name not in known]
        if missing:
            frames = ', '.join(sorted(known)[:20]) or 'none'
            return f'nothing is known of frame {" and ".join(missing)}; known frames: {frames}'
        return (
            f'{source} and {target} are in trees that nothing connects: one ends in '
            f'{up_source[-1]}, the other in {up_target[-1]}'
        )


def _name(frame: str) -> str:
    return frame.lstrip('/')


def _between(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    position = (1.0 - share) * first[:3, 3] + share * second[:3, 3]
    rotations = Rotation.from_matrix(np.stack([first[:3, :3], second[:3, :3]]))
    return rigid(Slerp([0.0, 1.0], rotations)(share).as_matrix(), position)
