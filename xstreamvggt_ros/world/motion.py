# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How fast a camera moves and how sure that is, from its poses and depth; no ROS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.geometry import invert_rigid
from xstreamvggt_ros.pipeline import Reconstruction

# Relative error of the depth where the network has a confidence of 1, which is none.
ERROR_WITHOUT_CONFIDENCE = 0.1
# Medians over every n-th pixel of every n-th row are as good as over all.
STRIDE = 4


@dataclass(frozen=True)
class Uncertainty:
    """Standard deviations of a pose along and about each axis: metres and radians."""

    position: float
    rotation: float


def body_twist(before: np.ndarray, after: np.ndarray, seconds: float) -> np.ndarray:
    """
    Give the mean velocity between two poses (4, 4), in the frame of the later one.

    Returns (6,): linear x, y, z in metres per second, angular in radians per second. `before` and
    `after` take that frame to a fixed one; `seconds` is above 0.
    """
    moved = invert_rigid(after)[:3, :3] @ (after[:3, 3] - before[:3, 3])
    turned = Rotation.from_matrix(before[:3, :3].T @ after[:3, :3]).as_rotvec()
    # The axis of a turn is the same in both frames.
    return np.concatenate([moved, turned]) / seconds


def uncertainty(reconstruction: Reconstruction) -> Uncertainty | None:
    """
    Estimate a pose's standard deviations from the confidence of its depth, None without depth.

    The network is trained to give the confidence c the less the larger it expects its error to be,
    in inverse proportion (Kendall and Gal, 2017; Wang et al., arXiv 2503.11651). The depth's
    relative error is taken as 0.1 / c, at medians over the frame; a camera that is placed by what
    it sees is then off by as much of the median depth, and turned by as many radians. It is an
    order of magnitude, not calibrated, and knows nothing of drift.
    """
    depth = reconstruction.depth[::STRIDE, ::STRIDE]
    confidence = reconstruction.confidence[::STRIDE, ::STRIDE]
    usable = (depth > 0) & (confidence > 0) & np.isfinite(depth + confidence)
    if not usable.any():
        return None
    relative = ERROR_WITHOUT_CONFIDENCE / float(np.median(confidence[usable]))
    return Uncertainty(relative * float(np.median(depth[usable])), relative)
