# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Whether the camera was followed to the end, and where it was lost.

The criterion is local, so that slow drift is no loss and one loss does not spoil what was before.
The motion over `window` frames is wrong where its rotation is off by more than `degrees`, or its
translation by more than `metres` plus a `share` of the true one. The estimate's unit is made
metres by the median ratio of true to estimated distances over windows that move. Tracking is lost
at the last frame of the first wrong window from which on `sustained` windows in a row are wrong
(all that are left, near the end); within the very first window, at the frame from which on no
motion since the beginning is right. A window whose estimate is missing or not finite is wrong; one
whose truth is unknown is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xstreamvggt_ros.scores.trajectory import rotation_degrees

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
    motions = _Motions.between(estimate, truth, known[:-window], known[window:])
    scale = motions.scale()
    wrong = motions.wrong(scale, criterion)
    # One that begins too near the end to be sustained needs all the rest.
    for index in np.flatnonzero(wrong):
        if wrong[index : index + criterion.sustained].all():
            break
    else:
        return None
    if index:
        return int(known[window + index])
    since = known[: window + 1]
    beginning = _Motions.between(estimate, truth, np.full_like(since, since[0]), since)
    right = np.flatnonzero(~beginning.wrong(scale, criterion))
    return int(since[right[-1] + 1 if len(right) else 0])


def tracked_share(lost: int | None, frames: int) -> float:
    """Give the share of frames before the loss."""
    if not frames:
        return np.nan
    return 1.0 if lost is None else lost / frames


def success_rate(losses: Sequence[int | None]) -> float:
    """Give the share of sequences that were followed to the end; NaN for none."""
    return sum(lost is None for lost in losses) / len(losses) if losses else np.nan


@dataclass(frozen=True, eq=False)
class _Motions:
    """True and estimated motions (M, 4, 4), of the M of N windows whose estimate is there (N,)."""

    answered: np.ndarray
    true: np.ndarray
    found: np.ndarray

    @classmethod
    def between(cls, estimate, truth, starts, ends) -> _Motions:
        answered = np.isfinite(estimate[starts]).all((1, 2))
        answered &= np.isfinite(estimate[ends]).all((1, 2))
        true, found = (
            np.linalg.inv(poses[starts[answered]]) @ poses[ends[answered]]
            for poses in (truth, estimate)
        )
        return cls(answered, true, found)

    def scale(self) -> float:
        """Give the metres per unit of the estimate."""
        distances, lengths = (_lengths(each) for each in (self.true, self.found))
        moving = (distances > LEAST_MOTION) & (lengths > 0)
        return float(np.median(distances[moving] / lengths[moving])) if moving.any() else 1.0

    def wrong(self, scale: float, criterion: TrackingCriterion) -> np.ndarray:
        """Tell (N,) which windows are wrong."""
        wrong = np.ones(len(self.answered), dtype=bool)
        if not self.answered.any():
            return wrong
        angles = rotation_degrees(np.swapaxes(self.true[:, :3, :3], 1, 2) @ self.found[:, :3, :3])
        gaps = np.linalg.norm(scale * self.found[:, :3, 3] - self.true[:, :3, 3], axis=1)
        allowed = criterion.metres + criterion.share * _lengths(self.true)
        wrong[self.answered] = (angles > criterion.degrees) | (gaps > allowed)
        return wrong


def _lengths(motions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(motions[:, :3, 3], axis=1)
