# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tell when a stream has gone wrong, and go on after it."""

from xstreamvggt_ros.guard.reconstructor import Begun, GuardedReconstructor, ON_FAILURE
from xstreamvggt_ros.guard.report import GuardReport
from xstreamvggt_ros.guard.verdict import ImageFigures
from xstreamvggt_ros.guard.watch import Watch, WatchConfig

__all__ = [
    'Begun',
    'GuardedReconstructor',
    'GuardReport',
    'ImageFigures',
    'ON_FAILURE',
    'Watch',
    'WatchConfig',
]
