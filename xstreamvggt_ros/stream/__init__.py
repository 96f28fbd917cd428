# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network advanced one frame at a time over its cache; no ROS."""

from xstreamvggt_ros.stream.contract import FrameReconstructor, Resumable
from xstreamvggt_ros.stream.frame import Frame, frame_from
from xstreamvggt_ros.stream.image_checks import check_numbers
from xstreamvggt_ros.stream.layout import layout_of, stream_layout
from xstreamvggt_ros.stream.loading import load_network, working_device
from xstreamvggt_ros.stream.reconstructor import StreamingReconstructor
from xstreamvggt_ros.stream.snapshots import read_snapshot, save_snapshot

__all__ = [
    'check_numbers',
    'Frame',
    'frame_from',
    'FrameReconstructor',
    'layout_of',
    'load_network',
    'read_snapshot',
    'Resumable',
    'save_snapshot',
    'stream_layout',
    'StreamingReconstructor',
    'working_device',
]
