# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network: torch alone, no ROS, no cache."""

from xstreamvggt_ros.model.bundled import bundled_checkpoint, bundled_presets
from xstreamvggt_ros.model.checkpoint import CheckpointError, load_checkpoint
from xstreamvggt_ros.model.model_config import ModelConfig
from xstreamvggt_ros.model.network import Memory, Predictions, StreamVGGT
from xstreamvggt_ros.model.random_weights import load_random_weights

__all__ = [
    'CheckpointError',
    'load_checkpoint',
    'bundled_checkpoint',
    'bundled_presets',
    'load_random_weights',
    'Memory',
    'ModelConfig',
    'Predictions',
    'StreamVGGT',
]
