# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Depth as compressed_depth_image_transport sends it, to metres; no ROS.

Twelve bytes come first: a number that says nothing more, and the two float32 of a quantisation.
Behind them is a PNG of 16 bits, or width and height (uint32 each, little-endian) and RVL (Wilson,
Fast Lossless Depth Image Compression, ISS 2017). 16UC1 is millimetres as they are; 32FC1 is
a / (number - b), by the quantisation's a and b, 0 standing for no depth.
"""

from __future__ import annotations

import struct

import cv2
import numpy as np

from xstreamvggt_ros.images.decoding_compressed import CompressedFields, open_picture
from xstreamvggt_ros.images.decoding_depth import DEPTH_ENCODINGS
from xstreamvggt_ros.images.errors import check_size, ImageError

_HEADER = struct.Struct('<iff')
_SIZE = struct.Struct('<II')
_PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
# A nibble has three bits of a number and one that says whether more follow; 16 bits, their sign
# and the count of a run of pixels take no more than these.
_MOST_NIBBLES = 11


def is_compressed_depth(image_format: str) -> bool:
    """
    Whether a CompressedImage's `format` says that it is depth.

    A 16UC1 image that went through compressed_image_transport is one, too: its PNG stands alone.
    """
    encoding = image_format.partition(';')[0].strip()
    return 'compressedDepth' in image_format or encoding in ('16UC1', '32FC1')


def decode_compressed_depth(message: CompressedFields, max_pixels: int) -> np.ndarray:
    """
    Decode into metres (H, W) float32, 0 or NaN where there is none (REP 118).

    ImageError: another format or encoding, a size above `max_pixels` (read before anything is
    allocated), a damaged or cut stream.
    """
    encoding = message.format.partition(';')[0].strip()
    if not is_compressed_depth(message.format) or encoding not in DEPTH_ENCODINGS:
        raise ImageError(
            'encoding',
            f'a compressed depth image has format {message.format!r}; publish one of: '
            f'{", ".join(f"{name}; compressedDepth" for name in DEPTH_ENCODINGS)}',
        )
    data = bytes(message.data)
    if data.startswith(_PNG_SIGNATURE) and encoding != '32FC1':
        return _decode_png(data, message.format, max_pixels) * np.float32(1e-3)
    if len(data) <= _HEADER.size:
        raise _malformed(message.format, f'it has {len(data)} bytes')
    _, a, b = _HEADER.unpack_from(data)
    body = data[_HEADER.size :]
    if body.startswith(_PNG_SIGNATURE):
        numbers = _decode_png(body, message.format, max_pixels)
    else:
        numbers = _decode_rvl(body, message.format, max_pixels)
    if encoding != '32FC1':
        return numbers * np.float32(1e-3)
    if not (np.isfinite(a) and np.isfinite(b) and a > 0):
        raise _malformed(message.format, f'its quantisation is {a:g} and {b:g}')
    with np.errstate(divide='ignore'):
        depth = np.float32(a) / (numbers.astype(np.float32) - np.float32(b))
    depth[(numbers == 0) | ~np.isfinite(depth) | (depth < 0)] = np.nan
    return depth


def _decode_png(body: bytes, name: str, max_pixels: int) -> np.ndarray:
    picture = open_picture(body, name)
    check_size(picture.height, picture.width, max_pixels)
    # libpng reads the first header chunk, Pillow the last: they must not disagree.
    if struct.unpack_from('>II', body, 16) != picture.size:
        raise _malformed(name, 'it has two headers')
    numbers = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
    if numbers is None or numbers.ndim != 2 or numbers.dtype != np.uint16:
        raise _malformed(name, 'it is no whole PNG of 16 bits of grey')
    return numbers


def _decode_rvl(body: bytes, name: str, max_pixels: int) -> np.ndarray:
    if len(body) < _SIZE.size:
        raise _malformed(name, 'it is cut')
    width, height = _SIZE.unpack_from(body)
    check_size(height, width, max_pixels)
    return unpack_rvl(body[_SIZE.size :], width * height, name).reshape(height, width)


def unpack_rvl(data: bytes, count: int, name: str = 'rvl') -> np.ndarray:
    """Decode RVL to `count` numbers (N,) uint16; ImageError where it is damaged."""
    values = _variable_lengths(data, name)
    numbers = np.zeros(count, np.uint16)
    places: list[tuple[int, int]] = []
    deltas: list[np.ndarray] = []
    at = filled = 0
    while filled < count:
        if at + 2 > len(values):
            raise _malformed(name, f'it ends after {filled} of {count} pixels')
        zeros, run = int(values[at]), int(values[at + 1])
        filled += zeros
        if not zeros + run or filled + run > count or at + 2 + run > len(values):
            raise _malformed(name, f'a run of {zeros} and {run} does not fit')
        places.append((filled, run))
        deltas.append(values[at + 2 : at + 2 + run])
        filled, at = filled + run, at + 2 + run
    coded = np.concatenate(deltas)
    # Differences to the pixel before, even if far away; signs are in the lowest bit.
    whole = np.cumsum((coded >> 1) ^ -(coded & 1))
    if len(whole) and not 0 <= whole.min() <= whole.max() < 2**16:
        raise _malformed(name, 'its numbers have more than 16 bits')
    taken = 0
    for place, run in places:
        numbers[place : place + run] = whole[taken : taken + run]
        taken += run
    return numbers


def _variable_lengths(data: bytes, name: str) -> np.ndarray:
    """Join nibbles to numbers (N,) int64; words of 32 bits begin with their highest nibble."""
    words = np.frombuffer(data[: len(data) // 4 * 4], '<u4').astype('>u4').view(np.uint8)
    nibbles = np.empty(2 * len(words), np.int64)
    nibbles[0::2], nibbles[1::2] = words >> 4, words & 15
    ends = np.flatnonzero(nibbles < 8)
    starts = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    lengths = ends - starts + 1
    if not len(ends) or lengths.max() > _MOST_NIBBLES:
        raise _malformed(name, 'its numbers do not end')
    nibbles = nibbles[: ends[-1] + 1]
    index = np.arange(len(nibbles)) - np.repeat(starts, lengths)
    return np.add.reduceat((nibbles & 7) << (3 * index), starts)


def _malformed(name: str, why: object) -> ImageError:
    return ImageError(
        'malformed',
        f'a compressed depth image of format {name!r} does not decode ({why}); publish whole '
        'images of compressed_depth_image_transport',
    )
