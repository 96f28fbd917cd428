# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth images to metres: one set of rules for messages and bags; no ROS."""

import numpy as np

from xstreamvggt_ros.geometry.quoting import quoted
from xstreamvggt_ros.images.decoding import ImageFields
from xstreamvggt_ros.images.errors import check_depth_size, ImageError

# Type of a number, and metres per unit (REP 118).
DEPTH_ENCODINGS = {'32FC1': ('f4', 1.0), '16UC1': ('u2', 1e-3), 'mono16': ('u2', 1e-3)}


def decode_depth(
    message: ImageFields, max_pixels: int, expected: tuple[int, int] | None = None
) -> np.ndarray:
    """
    Decode a depth image into metres (H, W) float32, 0 or NaN where there is none (REP 118).

    32FC1 is metres, 16UC1 and mono16 millimetres. ImageError: another encoding, a size
    that is not the one `expected` (height, width), or a header or data that do not fit together.
    """
    if message.encoding not in DEPTH_ENCODINGS:
        raise ImageError(
            'encoding',
            f'a depth image has encoding {quoted(message.encoding)}; '
            f'publish one of: {", ".join(DEPTH_ENCODINGS)}',
        )
    kind, unit = DEPTH_ENCODINGS[message.encoding]
    check_depth_size(message.height, message.width, max_pixels, expected)
    stored = np.dtype(kind).newbyteorder('>' if message.is_bigendian else '<')
    row_bytes, needed = message.width * stored.itemsize, message.height * message.step
    if message.step < row_bytes or len(message.data) < needed:
        raise ImageError(
            'short_data',
            f'a depth image of {message.width}x{message.height} has step {message.step} and '
            f'{len(message.data)} bytes of data; publish whole rows and images',
        )
    rows = np.frombuffer(message.data, np.uint8, count=needed).reshape(message.height, -1)
    numbers = np.ascontiguousarray(rows[:, :row_bytes]).view(stored)
    return (numbers * np.float32(unit)).astype(np.float32)
