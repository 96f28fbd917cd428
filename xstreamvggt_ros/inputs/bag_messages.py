# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of a bag as arrays and plain numbers, decoded by the rules of the node."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.images.decoding import decode_image
from xstreamvggt_ros.images.decoding_compressed import decode_compressed
from xstreamvggt_ros.images.decoding_compressed_depth import decode_compressed_depth
from xstreamvggt_ros.images.decoding_depth import decode_depth
from xstreamvggt_ros.inputs.payloads import EncodedImage, RawImage
from xstreamvggt_ros.inputs.reading import known_depth, MAX_PIXELS

# The greatest number of 16 bits stands for unknown as 0 does.
UNKNOWN_MILLIMETRES = 65535


def payload_of(message) -> RawImage | EncodedImage:
    """Take an image's fields, its data as it is."""
    if not hasattr(message, 'encoding'):
        return EncodedImage(message.format, message.data.tobytes())
    return RawImage(
        message.height,
        message.width,
        message.encoding,
        message.is_bigendian,
        message.step,
        message.data.tobytes(),
    )


def decode(message) -> np.ndarray:
    """Decode an image to RGB (H, W, 3) as the node does; ImageError."""
    decoder = decode_image if hasattr(message, 'encoding') else decode_compressed
    return decoder(message, MAX_PIXELS)


def metres(message) -> np.ndarray:
    """Decode a depth image to metres (H, W), NaN where unknown; ImageError."""
    raw = hasattr(message, 'encoding')
    depth = (decode_depth if raw else decode_compressed_depth)(message, MAX_PIXELS)
    if not (message.encoding if raw else message.format).startswith('32FC1'):
        depth[depth >= np.float32(UNKNOWN_MILLIMETRES) * np.float32(1e-3)] = np.nan
    return known_depth(depth)
