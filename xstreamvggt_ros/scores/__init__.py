# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of merit of trajectories, depth, clouds and tracking: pure functions of arrays."""

from xstreamvggt_ros.scores.depth import (
    DepthProtocol,
    DepthScores,
    mean_score,
    score_depth,
)
from xstreamvggt_ros.scores.points import PointProtocol, PointScore, score_points
from xstreamvggt_ros.scores.statistics import ErrorStatistics
from xstreamvggt_ros.scores.tracking import (
    lost_at,
    success_rate,
    tracked_share,
    TrackingCriterion,
)
from xstreamvggt_ros.scores.trajectory import (
    absolute_error,
    AbsoluteError,
    matched,
    relative_error,
    RelativeError,
)

__all__ = [
    'AbsoluteError',
    'DepthProtocol',
    'DepthScores',
    'ErrorStatistics',
    'PointProtocol',
    'PointScore',
    'RelativeError',
    'TrackingCriterion',
    'absolute_error',
    'lost_at',
    'matched',
    'mean_score',
    'relative_error',
    'score_depth',
    'score_points',
    'success_rate',
    'tracked_share',
]
