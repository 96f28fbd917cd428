# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A map of one point per voxel, grown frame by frame within a fixed bound; no ROS.

Points lie in the rows of one array, in no order. Beside it a sorted list of voxel keys says in
which row each voxel's point is, so that a frame is looked up by binary search and its new voxels
are merged in: with numpy that is faster than a hash table, and its cost is bounded by the map's
size and the frame's, whatever the points are.
"""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.world.clouds import Cloud

# A voxel's three indices share 63 bits: 2^21 voxels along each axis, half to either side.
AXIS_BITS = 21
HALF_AXIS = 1 << (AXIS_BITS - 1)
# Columns of a row: position, colour, sum of the confidences, greatest of them.
POSITION, COLOUR, WEIGHT, CONFIDENCE = slice(0, 3), slice(3, 6), 6, 7
COLUMNS = 8
# Sums of confidences below this stay finite.
MAX_CONFIDENCE = 1e30
# Row, frame last seen in, key, number of the row.
BYTES_PER_POINT = 4 * COLUMNS + 4 + 8 + 4


class VoxelMap:
    """
    Keep one coloured point per cube of `voxel_size`, at most `max_points` of them.

    A voxel's point is the mean of all points that fell into it, weighted by confidence: noise
    averages out, the order of the frames does not matter, and the mean cannot leave its voxel. Its
    confidence is the greatest that was seen, which compares with that of a single frame's points.

    When the map is full, voxels not seen for the longest make room for new ones, of those last
    seen in the same frame the least confident: the map follows the camera, where one that kept the
    surest points would cease to take in new places. It holds at most `BYTES_PER_POINT` bytes a
    point; an insertion works on copies of a frame and of the keys. Lengths have one unit
    throughout. ValueError: a size or a bound that is not above 0.
    """

    def __init__(self, voxel_size: float, max_points: int) -> None:
        """Reserve the memory; the system provides it as the map grows."""
        if not (voxel_size > 0 and np.isfinite(voxel_size)):
            raise ValueError(f'voxel_size is {voxel_size}; use a finite number above 0')
        if max_points < 1:
            raise ValueError(f'max_points is {max_points}; use at least 1')
        self.voxel_size = float(voxel_size)
        self.max_points = int(max_points)
        self.clear()

    def __len__(self) -> int:
        """Count the points."""
        return len(self._keys)

    @property
    def bytes(self) -> int:
        """Bytes of the points held."""
        return BYTES_PER_POINT * len(self)

    def insert(self, points: np.ndarray, rgb: np.ndarray, confidence: np.ndarray) -> None:
        """
        Add a frame: points (M, 3), rgb (M, 3) uint8, confidence (M,), above 0.

        Any leading shape will do. Points that are not finite, lie more than 2^20 voxels from the
        origin along an axis or have a confidence that is not above 0 and below 1e30 are left out.
        ValueError: arrays that do not match.
        """
        points, rgb = np.reshape(points, (-1, 3)), np.reshape(rgb, (-1, 3))
        confidence = np.reshape(confidence, -1)
        if not len(points) == len(rgb) == len(confidence):
            raise ValueError(
                f'a frame has {len(points)} points, {len(rgb)} colours and {len(confidence)} '
                'confidences; give as many of each'
            )
        rows = np.empty((len(points), COLUMNS), np.float32)
        rows[:, POSITION], rows[:, COLOUR] = points, rgb
        rows[:, WEIGHT] = rows[:, CONFIDENCE] = confidence
        self._frame += 1
        self._merge(rows, np.full(len(rows), self._frame, np.uint32))

    def cloud(self) -> Cloud:
        """Copy the map: points (N, 3) float32, colours (N, 3) uint8, confidence (N,) float32."""
        rows = self._rows[: len(self)]
        return Cloud(
            points=rows[:, POSITION].copy(),
            colours=np.rint(rows[:, COLOUR]).astype(np.uint8),
            confidence=rows[:, CONFIDENCE].copy(),
        )

    def rescale(self, factor: float, centre: np.ndarray) -> None:
        """
        Scale the points by `factor` about `centre` (3,), for a unit that has become known.

        The voxels keep their size in the new unit: shrunk points that share one are averaged.
        ValueError: a factor that is not finite and above 0.
        """
        if not (factor > 0 and np.isfinite(factor)):
            raise ValueError(f'a map cannot be scaled by {factor}; use a finite number above 0')
        rows, seen = self._rows[: len(self)].copy(), self._seen[: len(self)].copy()
        rows[:, POSITION] = centre + factor * (rows[:, POSITION] - np.asarray(centre))
        frame = self._frame
        self.clear()
        self._frame = frame
        self._merge(rows, seen)

    def clear(self) -> None:
        """Forget every point and give the memory back."""
        self._rows = np.empty((self.max_points, COLUMNS), np.float32)
        self._seen = np.empty(self.max_points, np.uint32)
        self._keys = np.empty(0, np.int64)
        self._places = np.empty(0, np.int32)
        self._frame = 0

    def _merge(self, rows: np.ndarray, seen: np.ndarray) -> None:
        """Take in rows (M, 8), each last seen in the frame `seen` (M,)."""
        rows, seen, keys = _average(rows, seen, *self._sort(rows))
        at = np.searchsorted(self._keys, keys)
        known = np.zeros(len(keys), bool)
        inside = at < len(self)
        known[inside] = self._keys[at[inside]] == keys[inside]
        places = self._places[at[known]]
        self._rows[places] = _blend(self._rows.take(places, axis=0), rows[known])
        self._seen[places] = np.maximum(self._seen[places], seen[known])
        self._extend(keys[~known], rows[~known], seen[~known])

    def _sort(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the order by voxel of the rows that can be used, and their keys in it."""
        scaled = rows[:, POSITION] / np.float64(self.voxel_size)
        weight = rows[:, WEIGHT]
        # A comparison with NaN is false.
        inside = (np.abs(scaled) < HALF_AXIS - 1).all(axis=1)
        usable = np.flatnonzero(inside & (weight > 0) & (weight < MAX_CONFIDENCE))
        index = np.floor(scaled[usable]).astype(np.int64) + HALF_AXIS
        keys = index[:, 0] << (2 * AXIS_BITS) | index[:, 1] << AXIS_BITS | index[:, 2]
        order = np.argsort(keys)
        return usable[order], keys[order]

    def _extend(self, keys: np.ndarray, rows: np.ndarray, seen: np.ndarray) -> None:
        """Add voxels that the map has not, by rising keys, in place of others where it is full."""
        if not len(keys):
            return
        if len(keys) > self.max_points:
            keep = np.argpartition(rows[:, CONFIDENCE], -self.max_points)[-self.max_points :]
            keep.sort()
            keys, rows, seen = keys[keep], rows[keep], seen[keep]
        places = np.arange(len(self), min(len(self) + len(keys), self.max_points), dtype=np.int32)
        if len(places) < len(keys):
            places = np.concatenate([places, self._drop(len(keys) - len(places))])
        self._rows[places], self._seen[places] = rows, seen
        target = np.searchsorted(self._keys, keys) + np.arange(len(keys))
        old = np.ones(len(self) + len(keys), bool)
        old[target] = False
        self._keys = _interleave(old, self._keys, keys)
        self._places = _interleave(old, self._places, places)

    def _drop(self, count: int) -> np.ndarray:
        """Forget `count` voxels and return the places that their points had."""
        seen = self._seen[: len(self)]
        last = np.partition(seen, count - 1)[count - 1]
        older, ties = np.flatnonzero(seen < last), np.flatnonzero(seen == last)
        rest = count - len(older)
        least = np.argpartition(self._rows[ties, CONFIDENCE], rest - 1)[:rest]
        dropped = np.concatenate([older, ties[least]]).astype(np.int32)
        kept = np.ones(len(self), bool)
        kept[dropped] = False
        kept = kept.take(self._places)
        self._keys, self._places = self._keys[kept], self._places[kept]
        return dropped


def _average(
    rows: np.ndarray, seen: np.ndarray, order: np.ndarray, keys: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make one row of those that share a key; `order` sorts rows (M, 8) as `keys` are."""
    if not len(keys):
        return rows[:0], seen[:0], keys
    # By columns, which numpy sums several times faster than short rows.
    columns = rows.take(order, axis=0).T.astype(np.float64, order='C')
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    columns[:WEIGHT] *= columns[WEIGHT]
    joined = np.add.reduceat(columns, starts, axis=1)
    joined[:WEIGHT] /= joined[WEIGHT]
    joined[CONFIDENCE] = np.maximum.reduceat(columns[CONFIDENCE], starts)
    seen = np.maximum.reduceat(seen[order], starts)
    return joined.T.astype(np.float32, order='C'), seen, keys[starts]


def _blend(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Average rows (M, 8) with those that are new in the same voxels."""
    weight = old[:, WEIGHT] + new[:, WEIGHT]
    blended = old + (new[:, WEIGHT] / weight)[:, None] * (new - old)
    blended[:, WEIGHT] = weight
    blended[:, CONFIDENCE] = np.maximum(old[:, CONFIDENCE], new[:, CONFIDENCE])
    return blended


def _interleave(from_first: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    merged = np.empty(len(from_first), first.dtype)
    merged[from_first] = first
    merged[~from_first] = second
    return merged
