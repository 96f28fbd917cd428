# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many metres the network's unit is: estimated, settled once, then held; no ROS."""

from xstreamvggt_ros.scale.estimator import (
    ScaleEstimator,
    ScaleState,
)
from xstreamvggt_ros.scale.sources import (
    make_scale_estimator,
    ParameterScale,
    SCALE_SOURCES,
)

__all__ = [
    'make_scale_estimator',
    'ParameterScale',
    'SCALE_SOURCES',
    'ScaleEstimator',
    'ScaleState',
]
