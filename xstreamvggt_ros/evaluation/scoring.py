# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All figures of a run, from what its record holds and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
import math
from typing import Any

import numpy as np

from xstreamvggt_ros.evaluation.arrays import DepthArrays, FrameArrays, PointArrays
from xstreamvggt_ros.evaluation.costs import score_costs
from xstreamvggt_ros.evaluation.protocol import Protocol
from xstreamvggt_ros.evaluation.record import Record, rewrite_metrics
from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.scores import (
    absolute_error,
    AbsoluteError,
    lost_at,
    relative_error,
    score_depth,
    score_points,
    tracked_share,
)
from xstreamvggt_ros.scores.depth import ALIGNMENTS

WORST = 4
# Frames nearer to each other than this part of the sequence are not both shown.
APART = 12


@dataclass(frozen=True)
class Scores:
    """
    The figures by name, the curves by name and frame, and how the run was brought to the truth.

    alignment: 'trajectory' and 'points', each with scale, rotation, translation; see `Similarity`.
    The trajectory's says `by` what it was found, '' for a `reason` where the truth gives none.
    """

    metrics: dict[str, float]
    curves: dict[str, list[float]]
    alignment: dict[str, dict[str, Any]]
    protocol: Protocol


def score(
    frames: FrameArrays,
    depth: DepthArrays,
    points: PointArrays,
    dataset: str,
    independent: bool,
    protocol: Protocol | None = None,
) -> Scores:
    """
    Score a run; `independent` frames have no trajectory and no common cloud.

    Poses and points of other streams than the one with most frames are left out: they have no
    place in its world.
    """
    protocol = protocol or Protocol()
    depth_protocol = replace(protocol, per='frame') if independent else protocol
    metrics, curves = score_costs(frames)
    alignment = {}
    depth_metrics, depth_curves = _score_depth(frames, depth, dataset, depth_protocol)
    metrics |= depth_metrics
    curves |= depth_curves
    if not independent:
        world = frames.main_world
        pose_metrics, absolute = _score_poses(frames.poses_of(world), frames.true_poses, protocol)
        metrics |= pose_metrics
        curves['position_error_m'] = absolute.errors.tolist()
        alignment['trajectory'] = {
            **_similarity(absolute.similarity),
            'by': absolute.aligned_by,
            'reason': absolute.reason,
        }
        point_metrics, similarity = _score_points(
            points, frames.worlds[points.frames] == world, protocol
        )
        metrics |= point_metrics
        alignment['points'] = _similarity(similarity)
    return Scores(metrics, curves, alignment, protocol)


def score_again(record: Record, protocol: Protocol | None = None) -> Record:
    """Score a finished run anew from its record, without running it, and keep the result."""
    scores = score(
        record.frames(),
        record.depth(),
        record.points(),
        record.dataset,
        record.info['sequence']['independent_frames'],
        protocol,
    )
    return rewrite_metrics(record, vars(scores))


def worst_frames(curves: dict[str, list[float]], count: int = WORST) -> list[int]:
    """
    Give the frames that are off most in depth, or else in position, the worst first.

    They are apart from each other: neighbours fail alike.
    """
    for name in ('abs_rel', 'position_error_m'):
        errors = np.array([_number(value) for value in curves.get(name, ())])
        known = np.flatnonzero(np.isfinite(errors))
        if not len(known):
            continue
        chosen: list[int] = []
        for index in known[np.argsort(-errors[known], kind='stable')].tolist():
            if all(abs(index - other) >= len(errors) / APART for other in chosen):
                chosen.append(index)
        return chosen[:count]
    return []


def _score_depth(
    frames: FrameArrays, depth: DepthArrays, dataset: str, protocol: Protocol
) -> tuple[dict[str, float], dict[str, list[float]]]:
    answered = frames.statuses == 'done'
    # What never came is counted as lost, not as wrong depth.
    truths = [
        truth if done and truth.size else None
        for truth, done in zip(depth.truths, answered, strict=True)
    ]
    metrics, curves = {}, {}
    for alignment in ALIGNMENTS:
        scores = score_depth(depth.estimates, truths, protocol.depth(alignment, dataset))
        for name in ('abs_rel', 'rmse', 'delta'):
            metrics[f'depth_{alignment}_{name}'] = getattr(scores.sequence, name)
        if alignment == 'median':
            curves['abs_rel'] = [each.abs_rel for each in scores.frames]
            # What each frame weighs in the figure of the sequence.
            curves['depth_pixels'] = [each.pixels for each in scores.frames]
            curves['depth_scale'] = scores.scale.tolist()
            metrics['depth_pixels'] = scores.sequence.pixels
    return metrics, curves


def _score_poses(
    poses: np.ndarray, truths: np.ndarray, protocol: Protocol
) -> tuple[dict[str, float], AbsoluteError]:
    absolute = absolute_error(poses, truths)
    as_evo = absolute_error(poses, truths, 'sim3')
    step = relative_error(poses, truths)
    far = relative_error(poses, truths, protocol.delta_m, 'metres')
    lost = lost_at(poses, truths)
    known = bool(np.isfinite(truths).all((1, 2)).any())
    metrics = {
        'ate_rmse': absolute.translation.rmse,
        'ate_mean': absolute.translation.mean,
        'ate_median': absolute.translation.median,
        'ate_rotation': absolute.rotation.rmse,
        'ate_scale': absolute.similarity.scale if absolute.aligned_by else math.nan,
        # What evo prints for the same files with --align --correct_scale.
        'evo_ate_rmse': as_evo.translation.rmse,
        'evo_ate_rotation': as_evo.rotation.rmse,
        'path': absolute.path,
        'rpe_translation': step.translation.rmse,
        'rpe_rotation': step.rotation.rmse,
        'rpe_metres_translation': far.translation.rmse,
        'rpe_metres_rotation': far.rotation.rmse,
        'tracked': tracked_share(lost, len(poses)) if known else math.nan,
        'lost_at': math.nan if lost is None else lost,
    }
    return metrics, absolute


def _score_points(
    points: PointArrays, inside: np.ndarray, protocol: Protocol
) -> tuple[dict[str, float], Similarity]:
    known = inside & np.isfinite(points.truths).all(1)
    scores = score_points(points.points[known], points.truths[known], protocol.cloud())
    metrics = {'points': scores.predicted}
    for name in ('accuracy', 'completeness', 'normal_consistency'):
        metrics[f'{name}_mean'] = getattr(scores, name).mean
        metrics[f'{name}_median'] = getattr(scores, name).median
    return metrics, scores.similarity


def _similarity(similarity: Similarity) -> dict[str, Any]:
    return {
        'scale': float(similarity.scale),
        'rotation': similarity.rotation.tolist(),
        'translation': similarity.translation.tolist(),
    }


def _number(value: float | None) -> float:
    return math.nan if value is None else value
