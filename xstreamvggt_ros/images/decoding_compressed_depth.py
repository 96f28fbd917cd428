# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Depth as compressed_depth_image_transport sends it, to metres; no ROS.

Twelve bytes come first: a number that says nothing more, and the two float32 of a quantisation.
Behind them is a PNG of 16 bits, or width and height (uint32 each, little-endian) and RVL. 16UC1 is
millimetres as they are; 32FC1 is a / (number - b), by the quantisation's a and b, 0 standing for
no depth.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import struct

import cv2
import numpy as np

from xstreamvggt_ros.geometry.quoting import quoted
from xstreamvggt_ros.images.compressed_format import checked_png, PNG_SIGNATURE
from xstreamvggt_ros.images.decoding_compressed import CompressedFields, open_picture
from xstreamvggt_ros.images.decoding_depth import DEPTH_ENCODINGS
from xstreamvggt_ros.images.errors import check_depth_size, ImageError
from xstreamvggt_ros.images.rvl import RvlError, unpack_rvl

_HEADER = struct.Struct('<iff')
_SIZE = struct.Struct('<II')
# Behind the signature and the first chunk's length and name are width and height.
_PNG_SIZE_AT, _PNG_HEADER_END = 16, 24
# A PNG of so many bytes more than its pixels hold nothing that is looked for.
_PNG_EXTRA = 1 << 20

# Takes height and width.
SizeCheck = Callable[[int, int], None]


def is_compressed_depth(image_format: str) -> bool:
    """
    Whether a CompressedImage's `format` says that it is depth.

    A 16UC1 image that went through compressed_image_transport is one, too: its PNG stands alone.
    """
    encoding = image_format.partition(';')[0].strip()
    return 'compressedDepth' in image_format or encoding in ('16UC1', '32FC1')


def decode_compressed_depth(
    message: CompressedFields, max_pixels: int, expected: tuple[int, int] | None = None
) -> np.ndarray:
    """
    Decode into metres (H, W) float32, 0 or NaN where there is none (REP 118).

    ImageError: another format or encoding, a size above `max_pixels` or, where the height and
    width that are `expected` are given, another than those (both read before anything is
    allocated), a damaged or cut stream. Of the data, no more is looked at than such an image may
    take.
    """
    check = partial(check_depth_size, max_pixels=max_pixels, expected=expected)
    encoding = message.format.partition(';')[0].strip()
    if not is_compressed_depth(message.format) or encoding not in DEPTH_ENCODINGS:
        raise ImageError(
            'encoding',
            f'a compressed depth image has format {quoted(message.format)}; publish one of: '
            f'{", ".join(f"{name}; compressedDepth" for name in DEPTH_ENCODINGS)}',
        )
    data = memoryview(message.data)
    if data[: len(PNG_SIGNATURE)] == PNG_SIGNATURE and encoding != '32FC1':
        return _decode_png(data, message.format, check) * np.float32(1e-3)
    if len(data) <= _HEADER.size:
        raise _malformed(message.format, f'it has {len(data)} bytes')
    _, a, b = _HEADER.unpack_from(data)
    body = data[_HEADER.size :]
    if body[: len(PNG_SIGNATURE)] == PNG_SIGNATURE:
        numbers = _decode_png(body, message.format, check)
    else:
        numbers = _decode_rvl(body, message.format, check)
    if encoding != '32FC1':
        return numbers * np.float32(1e-3)
    if not (np.isfinite(a) and np.isfinite(b) and a > 0):
        raise _malformed(message.format, f'its quantisation is {a:g} and {b:g}')
    with np.errstate(divide='ignore'):
        depth = np.float32(a) / (numbers.astype(np.float32) - np.float32(b))
    depth[(numbers == 0) | ~np.isfinite(depth) | (depth < 0)] = np.nan
    return depth


def _decode_png(body: memoryview, name: str, check: SizeCheck) -> np.ndarray:
    if len(body) < _PNG_HEADER_END:
        raise _malformed(name, 'it is cut')
    width, height = struct.unpack_from('>II', body, _PNG_SIZE_AT)
    check(height, width)
    body = body[: 4 * height * width + _PNG_EXTRA]
    # libpng reads the first header chunk, Pillow the last: they must not disagree.
    if open_picture(body, name).size != (width, height):
        raise _malformed(name, 'it has two headers')
    try:
        pixels = np.frombuffer(checked_png(body), np.uint8)
        numbers = cv2.imdecode(pixels, cv2.IMREAD_UNCHANGED)
    except (ValueError, cv2.error) as error:
        raise _malformed(name, error) from error
    if numbers is None or numbers.ndim != 2 or numbers.dtype != np.uint16:
        raise _malformed(name, 'it is no whole PNG of 16 bits of grey')
    return numbers


def _decode_rvl(body: memoryview, name: str, check: SizeCheck) -> np.ndarray:
    if len(body) < _SIZE.size:
        raise _malformed(name, 'it is cut')
    width, height = _SIZE.unpack_from(body)
    check(height, width)
    try:
        return unpack_rvl(body[_SIZE.size :], width * height).reshape(height, width)
    except RvlError as error:
        raise _malformed(name, error) from error


def _malformed(name: str, why: object) -> ImageError:
    return ImageError(
        'malformed',
        f'a compressed depth image of format {quoted(name)} does not decode ({why}); publish '
        'whole images of compressed_depth_image_transport',
    )
