# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an image to a reconstruction in the map frame; knows nothing of ROS."""

from xstreamvggt_ros.pipeline.config import PipelineConfig, POINT_SOURCES
from xstreamvggt_ros.pipeline.pipeline import FrameError, ReconstructionPipeline
from xstreamvggt_ros.pipeline.reconstruction import Reconstruction

__all__ = [
    'FrameError',
    'PipelineConfig',
    'POINT_SOURCES',
    'Reconstruction',
    'ReconstructionPipeline',
]
