# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an image to a reconstruction in the map frame; knows nothing of ROS."""

from xstreamvggt_ros.pipeline.camera_size import CameraPicture, CameraSized
from xstreamvggt_ros.pipeline.packing import CloudChoice, PackedCloud
from xstreamvggt_ros.pipeline.phases import BegunFrame, Prepared
from xstreamvggt_ros.pipeline.pipeline import FrameError, ReconstructionPipeline
from xstreamvggt_ros.pipeline.pipeline_config import PipelineConfig, POINT_SOURCES
from xstreamvggt_ros.pipeline.reconstruction import Pending, Reconstruction

__all__ = [
    'BegunFrame',
    'CameraPicture',
    'CameraSized',
    'CloudChoice',
    'FrameError',
    'PackedCloud',
    'Pending',
    'PipelineConfig',
    'POINT_SOURCES',
    'Prepared',
    'Reconstruction',
    'ReconstructionPipeline',
]
