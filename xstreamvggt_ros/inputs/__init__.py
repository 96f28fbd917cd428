# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every source of frames: bags, folders, video, rendered scenes; truth is optional."""

from xstreamvggt_ros.inputs.opening import layout_of, LAYOUTS, open_sequence
from xstreamvggt_ros.inputs.payloads import Calibration, EncodedImage, RawImage
from xstreamvggt_ros.inputs.sequence import (
    DamagedFrame,
    FRAME_ID,
    frames_at,
    FrameTruth,
    ImageSequence,
    readable_images,
    SequenceFrame,
    stamp_at,
    TOPIC,
)

__all__ = [
    'LAYOUTS',
    'FRAME_ID',
    'TOPIC',
    'Calibration',
    'DamagedFrame',
    'EncodedImage',
    'FrameTruth',
    'ImageSequence',
    'RawImage',
    'SequenceFrame',
    'frames_at',
    'layout_of',
    'open_sequence',
    'readable_images',
    'stamp_at',
]
