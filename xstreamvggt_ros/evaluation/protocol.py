# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How runs are scored; another protocol scores a record anew, without running."""

from __future__ import annotations

from dataclasses import dataclass
import math

from xstreamvggt_ros.scores import DepthProtocol, PointProtocol

# True depths that count, metres, as the papers have it.
MAX_DEPTH = {
    'sintel': 70.0,
    'bonn': 70.0,
    'kitti': 80.0,
    'kitti_raw': 80.0,
    'nyu': 10.0,
    'nyu_exported': 10.0,
}


@dataclass(frozen=True)
class Protocol:
    """
    Say how a run is scored.

    max_depth: true depths beyond do not count, metres; 0: as is usual for the data set. per: what
    one alignment of depth is for, 'sequence' or 'frame'. delta_m: length in metres of the motions
    that the second relative error is of. points, max_points: alignment and size of clouds, as
    `PointProtocol` has them; distances depend on how dense clouds are.
    """

    max_depth: float = 0.0
    per: str = 'sequence'
    delta_m: float = 1.0
    points: str = 'sim3+icp'
    max_points: int = 200_000

    def __post_init__(self) -> None:
        """Refuse what a part refuses."""
        self.depth('median', '')
        self.cloud()
        if not 0 < self.delta_m < math.inf:
            raise ValueError(f'delta_m is {self.delta_m}; use metres above 0')

    def depth(self, alignment: str, dataset: str) -> DepthProtocol:
        """Say how depth is compared under one of the alignments."""
        most = self.max_depth or MAX_DEPTH.get(dataset, math.inf)
        return DepthProtocol(alignment, self.per, max_depth=most)

    def cloud(self) -> PointProtocol:
        """Say how clouds are compared."""
        return PointProtocol(self.points, max_points=self.max_points)
