# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A frame's cloud as the bytes that a message has, made of tensors where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

# Columns of a row: x, y, z, red, green and blue in the bits of a float, confidence.
POSITION, COLOUR, CONFIDENCE = slice(0, 3), 3, 4
COLUMNS = 5


class CloudChoice(NamedTuple):
    """Which points make a cloud: a percentile of confidence, and every how manieth of a row."""

    percentile: float
    stride: int


@dataclass(frozen=True, eq=False)
class PackedCloud:
    """
    A cloud as a message has it, 20 bytes a point.

    choice: what it was made by. rows: (N, 5) float32, columns as above. shape: height and width
    of an organised cloud, (1, N) of a list. dense: whether all points are finite.
    """

    choice: CloudChoice
    rows: np.ndarray
    shape: tuple[int, int]
    dense: bool

    @property
    def points(self) -> np.ndarray:
        """Positions (N, 3) float32."""
        return self.rows[:, POSITION]

    @property
    def colours(self) -> np.ndarray:
        """Red, green and blue (N, 3) uint8."""
        return self.rows.view(np.uint8).reshape(-1, COLUMNS, 4)[:, COLOUR, 2::-1]

    @property
    def confidence(self) -> np.ndarray:
        """Confidences (N,) float32."""
        return self.rows[:, CONFIDENCE]


def pack(
    points: Tensor, picture: Tensor, confidence: Tensor, choice: CloudChoice
) -> dict[str, Tensor]:
    """
    Choose and pack the points of a frame, without waiting for the device.

    points (H, W, 3), picture (H, W, 3) uint8, confidence (H, W). Gives 'cloud', rows (H' W', 5)
    of every `stride`-th pixel of every `stride`-th row, and 'cloud_count', how many of them from
    the first on are the cloud's, and how many of those are finite: all with percentile 0, else
    the finite ones whose confidence is at least that percentile of all finite ones.
    """
    pick = (slice(None, None, choice.stride), slice(None, None, choice.stride))
    points, picture = points[pick].reshape(-1, 3), picture[pick].reshape(-1, 3).int()
    confidence = confidence[pick].reshape(-1)
    colour = picture[:, 0] << 16 | picture[:, 1] << 8 | picture[:, 2]
    rows = torch.cat([points, colour.view(torch.float32)[:, None], confidence[:, None]], dim=1)
    finite = points.isfinite().all(dim=1)
    if choice.percentile <= 0:
        count = finite.new_full((), len(rows), dtype=torch.int64)
        return {'cloud': rows, 'cloud_count': torch.stack([count, finite.sum()])}
    finite &= confidence.isfinite()
    keep = finite & (confidence >= _least(confidence, finite, choice.percentile))
    count = keep.sum()
    # Those that are left out all go to a row behind the last.
    place = torch.where(keep, keep.cumsum(0) - 1, len(rows))
    # Whole numbers, since bits of colours may be those of a NaN.
    chosen = torch.empty(len(rows) + 1, COLUMNS, dtype=torch.int32, device=rows.device)
    chosen.index_copy_(0, place, rows.view(torch.int32))
    cloud = chosen[:-1].view(torch.float32)
    return {'cloud': cloud, 'cloud_count': torch.stack([count, count])}


def unpack(
    arrays: dict[str, np.ndarray], choice: CloudChoice, size: tuple[int, int]
) -> PackedCloud:
    """Make of what `pack` gave, brought to the host, the cloud of a frame of that size."""
    count, finite = (int(number) for number in arrays['cloud_count'])
    shape = tuple(-(-side // choice.stride) for side in size)
    if choice.percentile > 0:
        shape = (1, count)
    return PackedCloud(choice, arrays['cloud'][:count], shape, finite == count)


def _least(confidence: Tensor, finite: Tensor, percentile: float) -> Tensor:
    """Give the least of the finite confidences that are at least their percentile."""
    ordered = torch.where(finite, confidence, torch.inf).sort().values
    rank = (percentile / 100 * (finite.sum().double() - 1)).ceil().long().clamp_min(0)
    # Not ordered[rank], for which the host would have to know the rank.
    return ordered.index_select(0, rank[None])
