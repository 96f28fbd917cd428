# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth as compressed_depth_image_transport sends it, to metres; no ROS."""

from __future__ import annotations

import struct

import cv2
import numpy as np

from xstreamvggt_ros.images.compressed_format import check_stream
from xstreamvggt_ros.images.decoding_compressed import CompressedFields
from xstreamvggt_ros.images.errors import check_size, ImageError

# An enumeration and the two numbers that inverse depth was quantised by, little-endian.
_HEADER = struct.Struct('<iff')
_PNG_SIZE = struct.Struct('>II')
_PNG_SIZE_AT = 16
MILLIMETRES = 1e-3


def decode_compressed_depth(message: CompressedFields, max_pixels: int) -> np.ndarray:
    """
    Decode a `compressedDepth png` image into metres (H, W) float32, 0 where there is none.

    Of 16UC1 the PNG has millimetres. Of 32FC1 it has a / (depth - b), rounded, whose two numbers
    are in the header before it. ImageError: another encoding or compression, a size above
    `max_pixels` (read before anything is decoded), a damaged or cut stream.
    """
    encoding, _, rest = message.format.partition(';')
    data, named = bytes(message.data), message.format
    if 'compressedDepth' not in rest or encoding.strip() not in ('16UC1', '32FC1'):
        raise ImageError(
            'encoding',
            f'a compressed depth image has format {named!r}; publish "16UC1; compressedDepth png" '
            'or "32FC1; compressedDepth png", as compressed_depth_image_transport does',
        )
    if 'rvl' in rest:
        raise ImageError(
            'encoding',
            f'a compressed depth image has format {named!r}; RVL is not read: set the '
            "publisher's compressedDepth format to png",
        )
    if len(data) < _HEADER.size:
        raise ImageError(
            'malformed', f'a compressed depth image has {len(data)} bytes; send whole'
        )
    _, a, b = _HEADER.unpack_from(data)
    numbers = _png(data[_HEADER.size :], named, max_pixels)
    if encoding.strip() == '16UC1':
        return numbers * np.float32(MILLIMETRES)
    if not (np.isfinite(a) and np.isfinite(b) and a > 0):
        raise ImageError('malformed', f'a compressed depth image was quantised by {a} and {b}')
    with np.errstate(divide='ignore', invalid='ignore'):
        depth = np.float32(a) / (numbers - np.float32(b))
    return np.where(numbers > 0, depth, np.float32(0)).astype(np.float32)


def _png(stream: bytes, named: str, max_pixels: int) -> np.ndarray:
    """Decode a PNG of one channel and 16 bits into (H, W) float32."""
    check_stream(stream, named)
    if len(stream) < _PNG_SIZE_AT + _PNG_SIZE.size or not stream.startswith(b'\x89PNG'):
        raise ImageError('malformed', f'a compressed depth image of format {named!r} is no PNG')
    width, height = _PNG_SIZE.unpack_from(stream, _PNG_SIZE_AT)
    check_size(height, width, max_pixels)
    try:
        numbers = cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        numbers = None
    if numbers is None or numbers.dtype != np.uint16 or numbers.ndim != 2:
        raise ImageError(
            'malformed',
            f'a compressed depth image of format {named!r} does not decode into 16 bits of one '
            'channel; publish whole images',
        )
    return numbers.astype(np.float32)
