# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loaders of public data sets, rosbags and synthetic sequences, all to one interface."""

from xstreamvggt_ros.inputs.datasets.opening import LAYOUTS, open_sequence
from xstreamvggt_ros.inputs.datasets.sequence import (
    DamagedFrame,
    EvaluationSequence,
    FrameTruth,
    readable_images,
    SequenceFrame,
)

__all__ = [
    'LAYOUTS',
    'DamagedFrame',
    'EvaluationSequence',
    'FrameTruth',
    'SequenceFrame',
    'open_sequence',
    'readable_images',
]
