# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A large cloud in blocks of which only those that changed are sent on.

Which points stay where there are too many follows from where they are, so that the same ones stay
when others come, and most blocks stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
import zlib

import numpy as np

from xstreamvggt_ros.view.contents import FAR, Points

# Blocks along the longest side of a cloud, at most.
ALONG = 6
# Sides of blocks are powers of two, so that a growing cloud keeps its blocks for a while.
_PRIMES = (73_856_093, 19_349_663, 83_492_791)


@dataclass(frozen=True, eq=False)
class PageBlock:
    """The points of one place; `slot` is below the number of blocks that there may be."""

    slot: int
    points: Points


class Blocks:
    """
    The blocks of a cloud that is told whole, again and again.

    At most `most_points` are kept of it, and ALONG ^ 3 blocks there may be.
    """

    def __init__(self, most_points: int) -> None:
        """Begin with an empty cloud."""
        self.most_points = most_points
        self._sums: dict[int, int] = {}

    def changed(self, cloud: Points) -> tuple[list[PageBlock], list[int]]:
        """Take the whole cloud; return the blocks that changed and the slots now empty."""
        found = dict(self._divided(thinned(cloud, self.most_points)))
        sums = {slot: _sum(points) for slot, points in found.items()}
        before, self._sums = self._sums, sums
        fresh = [PageBlock(slot, found[slot]) for slot in sums if sums[slot] != before.get(slot)]
        return fresh, sorted(before.keys() - sums.keys())

    def _divided(self, cloud: Points) -> Iterator[tuple[int, Points]]:
        if not len(cloud.points):
            return
        extent = float(np.ptp(cloud.points, axis=0).max())
        # One block more than fits along a side, for where it begins is a multiple of the side.
        side = 2.0 ** np.ceil(np.log2(max(extent, 1e-3) / (ALONG - 1)))
        place = np.floor(cloud.points / side).astype(np.int64) % ALONG
        slot = (place[:, 0] * ALONG + place[:, 1]) * ALONG + place[:, 2]
        order = np.argsort(slot, kind='stable')
        slots, starts = np.unique(slot[order], return_index=True)
        for each, index in zip(slots, np.split(order, starts[1:]), strict=True):
            yield int(each), _chosen(cloud, index)


def finite(cloud: Points, least_confidence: float = 0.0) -> Points:
    """Leave out points that are not finite or beyond FAR, or that the network is less sure of."""
    good = (np.abs(cloud.points) <= FAR).all(axis=1) & (cloud.confidence >= least_confidence)
    return cloud if good.all() else _chosen(cloud, good)


def thinned(cloud: Points, most: int) -> Points:
    """Keep at most `most` points, the same ones as long as their number stays alike."""
    cloud = finite(cloud)
    if len(cloud.points) <= most:
        return cloud
    bits = np.ascontiguousarray(cloud.points, dtype=np.float32).view(np.uint32).astype(np.uint64)
    mixed = bits[:, 0] * _PRIMES[0] ^ bits[:, 1] * _PRIMES[1] ^ bits[:, 2] * _PRIMES[2]
    # Fibonacci hashing: the upper bits of a product with 2^64 / golden ratio are even.
    mixed = (mixed * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(40)
    share = 1 << 24
    while (kept := mixed < share).sum() > most:
        share = share // 8 * 7
    return _chosen(cloud, kept)


def _chosen(cloud: Points, index: np.ndarray) -> Points:
    return Points(cloud.points[index], cloud.rgb[index], cloud.confidence[index])


def _sum(cloud: Points) -> int:
    return zlib.crc32(cloud.rgb.tobytes(), zlib.crc32(cloud.points.tobytes()))
