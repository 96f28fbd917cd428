# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Procedural scenes rendered with exact depth, poses and intrinsics; torch only, no ROS."""

from xstreamvggt_ros.synthetic.rendering import render
from xstreamvggt_ros.synthetic.scene import Plane, Scene
from xstreamvggt_ros.synthetic.sequence import make_scene, render_sequence, SyntheticSequence
from xstreamvggt_ros.synthetic.sequence_config import SequenceConfig
from xstreamvggt_ros.synthetic.trajectories import NoFreePlace

__all__ = [
    'NoFreePlace',
    'Plane',
    'Scene',
    'SequenceConfig',
    'SyntheticSequence',
    'make_scene',
    'render',
    'render_sequence',
]
