# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network advanced one frame at a time over its cache; no ROS."""

from xstreamvggt_ros.stream.reconstructor import (
    check_size,
    Frame,
    frame_from,
    stream_layout,
    StreamingReconstructor,
)

__all__ = [
    'check_size',
    'Frame',
    'frame_from',
    'stream_layout',
    'StreamingReconstructor',
]
