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

from collections.abc import Callable
from functools import partial
import struct

import cv2
import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order

from xstreamvggt_ros.geometry.quoting import quoted
from xstreamvggt_ros.images.decoding_compressed import CompressedFields, open_picture
from xstreamvggt_ros.images.decoding_depth import DEPTH_ENCODINGS
from xstreamvggt_ros.images.errors import check_depth_size, ImageError

_HEADER = struct.Struct('<iff')
_SIZE = struct.Struct('<II')
_PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
# Behind the signature and the first chunk's length and name are width and height.
_PNG_SIZE_AT, _PNG_HEADER_END = 16, 24
# A nibble has three bits of a number and one that says whether more follow. Ten are 30 bits: more
# than a difference of pixels and its sign, or a count of them, need.
_MOST_NIBBLES = 10
# A difference takes six nibbles at most, a count no more than it counts pixels; those of the first
# and the last run may be 0.
_NIBBLES_A_PIXEL, _NIBBLES_MORE = 7, 2
# So many bytes, or numbers, are looked at together: memory is that of the picture, and these.
_BLOCK = 1 << 18
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
    if data[: len(_PNG_SIGNATURE)] == _PNG_SIGNATURE and encoding != '32FC1':
        return _decode_png(data, message.format, check) * np.float32(1e-3)
    if len(data) <= _HEADER.size:
        raise _malformed(message.format, f'it has {len(data)} bytes')
    _, a, b = _HEADER.unpack_from(data)
    body = data[_HEADER.size :]
    if body[: len(_PNG_SIGNATURE)] == _PNG_SIGNATURE:
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
        numbers = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise _malformed(name, error) from error
    if numbers is None or numbers.ndim != 2 or numbers.dtype != np.uint16:
        raise _malformed(name, 'it is no whole PNG of 16 bits of grey')
    return numbers


def _decode_rvl(body: memoryview, name: str, check: SizeCheck) -> np.ndarray:
    if len(body) < _SIZE.size:
        raise _malformed(name, 'it is cut')
    width, height = _SIZE.unpack_from(body)
    check(height, width)
    return unpack_rvl(body[_SIZE.size :], width * height, name).reshape(height, width)


def unpack_rvl(data: bytes | memoryview, count: int, name: str = 'rvl') -> np.ndarray:
    """
    Decode RVL to `count` numbers (N,) uint16; ImageError where it is damaged.

    Memory and time are of the order of `count`, whatever the data are.
    """
    values = _variable_lengths(data, count, name)
    heads = _run_heads(values, count, name)
    end = heads[-1] + 2 + values[heads[-1] + 1]
    zeros, runs = values[heads], values[heads + 1]
    is_delta = np.ones(end, bool)
    is_delta[heads] = is_delta[heads + 1] = False
    coded = values[:end][is_delta]
    if len(coded) and coded.max() >= 1 << 17:
        raise _malformed(name, 'its differences have more than 16 bits and a sign')
    # Differences to the pixel before, even if far away; signs are in the lowest bit. Numbers that
    # leave 32 bits have left 16 on their way, by steps of no more than 17.
    whole = np.cumsum((coded >> 1) ^ -(coded & 1), dtype=np.int32)
    if len(whole) and not 0 <= whole.min() <= whole.max() < 1 << 16:
        raise _malformed(name, 'its numbers have more than 16 bits')
    numbers = np.zeros(count, np.uint16)
    coloured = np.tile([False, True], len(heads))
    numbers[np.repeat(coloured, np.stack((zeros, runs), 1).ravel())] = whole
    return numbers


def _run_heads(values: np.ndarray, count: int, name: str) -> np.ndarray:
    """
    Give where runs begin (R,), each with its zeros and its length, in numbers (N,) int32.

    Only the first may have no zeros, and only the last no length: pixels, and not the sender, then
    bound how many there are.
    """
    found: list[np.ndarray] = []
    at = filled = 0
    while filled < count:
        heads = at + _chain(values[at : at + _BLOCK])
        if not len(heads):
            raise _malformed(name, f'it ends after {filled} of {count} pixels')
        zeros, runs = values[heads].astype(np.int64), values[heads + 1].astype(np.int64)
        ends = filled + np.cumsum(zeros + runs)
        heads = heads[: np.searchsorted(ends, count) + 1]
        zeros, runs, ends = zeros[: len(heads)], runs[: len(heads)], ends[: len(heads)]
        empty = np.flatnonzero((ends > zeros + runs) & (zeros == 0) | (ends < count) & (runs == 0))
        if len(empty) or ends[-1] > count:
            at = empty[0] if len(empty) else -1
            raise _malformed(name, f'a run of {zeros[at]} and {runs[at]} does not fit')
        found.append(heads)
        at, filled = int(heads[-1]) + 2 + int(runs[-1]), int(ends[-1])
        if at > len(values):
            raise _malformed(name, f'it ends after {filled} of {count} pixels')
    return np.concatenate(found)


def _chain(values: np.ndarray) -> np.ndarray:
    """Follow runs from the first number, each to the one behind it, as far as they are here."""
    last = len(values) - 1
    if last < 1:
        return np.empty(0, np.int64)
    # Whatever leaves the block, or has no length in it, ends in the node behind all.
    after = np.full(last + 2, last + 1, np.int32)
    np.minimum(np.arange(2, last + 2) + values[1:], last + 1, out=after[:last], casting='unsafe')
    steps = csr_matrix((np.ones(len(after), np.int8), after, np.arange(len(after) + 1)))
    heads = breadth_first_order(steps, 0, return_predecessors=False)
    return heads[heads < last].astype(np.int64)


def _variable_lengths(data: bytes | memoryview, count: int, name: str) -> np.ndarray:
    """
    Join nibbles to numbers (N,) int32; words of 32 bits begin with their highest nibble.

    What is behind all that `count` pixels can take is left out, and a number that is cut.
    """
    most = -(-(_NIBBLES_A_PIXEL * count + _NIBBLES_MORE) // 8) * 4
    body = np.frombuffer(data, np.uint8)[: min(most, len(data) // 4 * 4)]
    # Each run but two has a pixel without and one with depth.
    numbers = np.empty(min(count + count // 2 + 2, 2 * len(body)), np.int32)
    rest, filled = np.empty(0, np.uint8), 0
    for begin in range(0, len(body), _BLOCK):
        words = body[begin : begin + _BLOCK].reshape(-1, 4)[:, ::-1]
        fresh = np.stack((words >> 4, words & 15), -1).reshape(-1)
        found, rest = _joined(np.concatenate((rest, fresh)), name)
        found = found[: len(numbers) - filled]
        numbers[filled : filled + len(found)] = found
        filled += len(found)
        if filled == len(numbers):
            break
    return numbers[:filled]


def _joined(nibbles: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Give the numbers (N,) int32 that nibbles (M,) uint8 hold whole, and the nibbles behind."""
    ends = np.flatnonzero(nibbles < 8)
    done = ends[-1] + 1 if len(ends) else 0
    starts = np.concatenate(([0], ends[:-1] + 1))[: len(ends)]
    lengths = ends - starts + 1
    if max(lengths.max(initial=0), len(nibbles) - done) > _MOST_NIBBLES:
        raise _malformed(name, 'its numbers do not end')
    if not done:
        return np.empty(0, np.int32), nibbles
    places = np.arange(done, dtype=np.int32) - np.repeat(starts, lengths).astype(np.int32)
    parts = (nibbles[:done] & 7).astype(np.int32) << (3 * places)
    return np.add.reduceat(parts, starts), nibbles[done:]


def _malformed(name: str, why: object) -> ImageError:
    return ImageError(
        'malformed',
        f'a compressed depth image of format {quoted(name)} does not decode ({why}); publish '
        'whole images of compressed_depth_image_transport',
    )
