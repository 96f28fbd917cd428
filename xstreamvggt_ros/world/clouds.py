# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which points of a reconstruction make a cloud: pure functions without ROS."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np

from xstreamvggt_ros.pipeline import PackedCloud, Reconstruction


@dataclass(frozen=True, eq=False)
class Cloud:
    """
    Coloured points in the map frame, organised (H, W) or a list (N,).

    points: (..., 3) float32 metres. colours: (..., 3) uint8 RGB. confidence: (...) float32.
    packed: the same as a message has it, where a device made it.
    """

    points: np.ndarray
    colours: np.ndarray
    confidence: np.ndarray
    packed: PackedCloud | None = None


def select_cloud(reconstruction: Reconstruction, percentile: float, stride: int) -> Cloud:
    """
    Take every `stride`-th pixel of every `stride`-th row, above a percentile of confidence.

    With percentile 0 the cloud is organised (H / stride, W / stride), rounded up, NaN where there
    is no point. Otherwise it is a list of the finite points whose confidence is at least that
    percentile of all finite ones.
    """
    packed = reconstruction.cloud
    if packed is not None and packed.choice == (percentile, stride):
        return _unpacked(packed)
    pick = (slice(None, None, stride), slice(None, None, stride))
    points, colours = reconstruction.points[pick], reconstruction.picture[pick]
    confidence = reconstruction.points_confidence[pick]
    if percentile <= 0:
        return Cloud(points, colours, confidence)
    points, colours, confidence = points.reshape(-1, 3), colours.reshape(-1, 3), confidence.ravel()
    # A sum is finite where all of its terms are; the product with ones is the fastest sum.
    finite = np.isfinite(points @ np.ones(3, points.dtype)) & np.isfinite(confidence)
    if finite.any():
        finite &= confidence >= _least(confidence[finite], percentile)
    # Taking by number is several times as fast as by mask.
    keep = np.flatnonzero(finite)
    return Cloud(*(np.take(values, keep, axis=0) for values in (points, colours, confidence)))


def _unpacked(packed: PackedCloud) -> Cloud:
    arrays = packed.points, packed.colours, packed.confidence
    if packed.choice.percentile <= 0:
        arrays = (each.reshape(*packed.shape, *each.shape[1:]) for each in arrays)
    return Cloud(*arrays, packed)


def _least(confidence: np.ndarray, percentile: float) -> np.ndarray:
    """Give the least of the confidences (N,) that are at least their percentile."""
    rank = math.ceil(percentile / 100 * (len(confidence) - 1))
    return np.partition(confidence, rank)[rank]
