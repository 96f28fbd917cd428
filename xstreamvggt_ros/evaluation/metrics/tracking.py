# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whether the camera was followed to the end, and where it was lost.

The criterion is local, so that slow drift is no loss and one loss does not spoil what was before.
The motion over `window` frames is wrong where its rotation is off by more than `degrees`, or its
translation by more than `metres` plus a `share` of the true one. The estimate's unit is made
metres by the median ratio of true to estimated distances over windows that move. Tracking is lost
at the last frame of the first wrong window from which on `sustained` windows in a row are wrong
(all that are left, near the end). A window whose estimate is missing or not finite is wrong; one
whose truth is unknown is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xstreamvggt_ros.evaluation.metrics.trajectory import rotation_degrees

# Metres over a window below which a distance says nothing of the scale.
LEAST_MOTION = 0.02


@dataclass(frozen=True)
class TrackingCriterion:
    """See the module: frames, degrees, metres, share of the true motion, windows in a row."""

    window: int = 10
    degrees: float = 15.0
    metres: float = 0.25
    share: float = 0.5
    sustained: int = 5

    def __post_init__(self) -> None:
        """Refuse what makes no criterion."""
        if self.window < 1 or self.sustained < 1:
            raise ValueError(f'window and sustained are {self.window}, {self.sustained}; above 0')
        if min(self.degrees, self.metres, self.share) < 0:
            raise ValueError('degrees, metres and share of a tracking criterion are not negative')


def lost_at(
    estimate: np.ndarray, truth: np.ndarray, criterion: TrackingCriterion | None = None
) -> int | None:
    """
    Give the index of the frame where tracking was lost, None where it was not.

    estimate, truth: world from camera (F, 4, 4), NaN where there is no pose.
    """
    criterion = criterion or TrackingCriterion()
    if estimate.shape != truth.shape:
        raise ValueError(
            f'poses {estimate.shape} and {truth.shape}: give those of the same frames'
        )
    known = np.flatnonzero(np.isfinite(truth).all((1, 2)))
    window = min(criterion.window, len(known) - 1)
    if window < 1:
        return None
    starts, ends = known[:-window], known[window:]
    wrong = _wrong(estimate, truth, starts, ends, criterion)
    # One that begins too near the end to be sustained needs all the rest.
    for index in np.flatnonzero(wrong):
        if wrong[index : index + criterion.sustained].all():
            return int(ends[index])
    return None


def tracked_share(lost: int | None, frames: int) -> float:
    """Give the share of frames before the loss."""
    if not frames:
        return np.nan
    return 1.0 if lost is None else lost / frames


def success_rate(losses: Sequence[int | None]) -> float:
    """Give the share of sequences that were followed to the end; NaN for none."""
    return sum(lost is None for lost in losses) / len(losses) if losses else np.nan


def _wrong(estimate, truth, starts, ends, criterion: TrackingCriterion) -> np.ndarray:
    answered = np.isfinite(estimate[starts]).all((1, 2)) & np.isfinite(estimate[ends]).all((1, 2))
    wrong = np.ones(len(starts), dtype=bool)
    if not answered.any():
        return wrong
    true, found = (
        np.linalg.inv(poses[starts[answered]]) @ poses[ends[answered]]
        for poses in (truth, estimate)
    )
    distances, lengths = (np.linalg.norm(each[:, :3, 3], axis=1) for each in (true, found))
    moving = (distances > LEAST_MOTION) & (lengths > 0)
    scale = float(np.median(distances[moving] / lengths[moving])) if moving.any() else 1.0
    angles = rotation_degrees(np.swapaxes(true[:, :3, :3], 1, 2) @ found[:, :3, :3])
    gaps = np.linalg.norm(scale * found[:, :3, 3] - true[:, :3, 3], axis=1)
    allowed = criterion.metres + criterion.share * distances
    wrong[answered] = (angles > criterion.degrees) | (gaps > allowed)
    return wrong
