# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: parameters in, messages out, around a pipeline that knows no ROS."""

from xstreamvggt_ros.node.lifecycle import main, ReconstructionNode

__all__ = ['main', 'ReconstructionNode']
