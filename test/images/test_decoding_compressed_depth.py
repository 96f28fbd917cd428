# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth of compressed_depth_image_transport, coded here as its publisher does it."""

from contextlib import contextmanager, suppress
import struct
import sys
import tracemalloc
from types import SimpleNamespace

import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest

from xstreamvggt_ros.images.decoding_compressed_depth import decode_compressed_depth, unpack_rvl
from xstreamvggt_ros.images.errors import ImageError

MILLIMETRES = np.array([[0, 1500, 1501, 0], [65535, 3, 0, 0], [1, 0, 2000, 1990]], np.uint16)
SIZE = MILLIMETRES.size
PNG, RVL = '16UC1; compressedDepth png', '16UC1; compressedDepth rvl'


class _Nibbles:
    """Words of 32 bits, the highest nibble first, as the paper's listing writes them."""

    def __init__(self):
        self.words, self.word, self.count = [], 0, 0

    def put(self, value):
        while True:
            nibble, value = value & 7, value >> 3
            self.word = (self.word << 4) | nibble | (8 if value else 0)
            self.count += 1
            if self.count == 8:
                self.words.append(self.word)
                self.word = self.count = 0
            if not value:
                return

    def bytes(self):
        words = [*self.words, self.word << 4 * (8 - self.count)] if self.count else self.words
        return struct.pack(f'<{len(words)}I', *words)


def pack_rvl(numbers):
    """Compress pixel by pixel, as the paper's listing does."""
    numbers, at, before, out = [int(each) for each in numbers.ravel()], 0, 0, _Nibbles()
    while at < len(numbers):
        zeros = run = 0
        while at + zeros < len(numbers) and not numbers[at + zeros]:
            zeros += 1
        at += zeros
        while at + run < len(numbers) and numbers[at + run]:
            run += 1
        out.put(zeros)
        out.put(run)
        for number in numbers[at : at + run]:
            delta, before = number - before, number
            out.put(2 * delta if delta >= 0 else -2 * delta - 1)
        at += run
    return out.bytes()


def _message(numbers, image_format, a=0.0, b=0.0):
    if image_format.endswith('rvl'):
        body = struct.pack('<II', *numbers.shape[::-1]) + pack_rvl(numbers)
    else:
        body = cv2.imencode('.png', numbers)[1].tobytes()
    return SimpleNamespace(format=image_format, data=struct.pack('<iff', 0, a, b) + body)


@pytest.mark.parametrize('image_format', [PNG, RVL, '16UC1; compressedDepth'])
def test_millimetres_come_back_exactly(image_format):
    depth = decode_compressed_depth(_message(MILLIMETRES, image_format), SIZE)
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, MILLIMETRES * 1e-3, rtol=1e-6)


def test_a_png_of_compressed_image_transport_is_read_too():
    data = cv2.imencode('.png', MILLIMETRES)[1].tobytes()
    message = SimpleNamespace(format='16UC1; png compressed ', data=data)
    depth = decode_compressed_depth(message, SIZE)
    np.testing.assert_allclose(depth, MILLIMETRES * 1e-3, rtol=1e-6)


@pytest.mark.parametrize('coding', ['png', 'rvl'])
def test_metres_come_back_as_near_as_they_were_quantised(coding):
    true = np.array([[0.5, 1.0, np.nan], [2.0, 5.0, 9.9]], np.float32)
    # As the publisher chooses them for a depth of 10 m at most and 100 steps a metre.
    a = 100.0 * 101.0
    b = 1.0 - a / 10.0
    numbers = np.where(np.isfinite(true), np.round(a / np.nan_to_num(true, nan=1) + b), 0)
    message = _message(numbers.astype(np.uint16), f'32FC1; compressedDepth {coding}', a, b)
    depth = decode_compressed_depth(message, 6)
    np.testing.assert_array_equal(np.isnan(depth), np.isnan(true))
    np.testing.assert_allclose(depth, true, rtol=0.01)


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.uint16, st.integers(1, 60), elements=st.sampled_from([0, 0, 0, 1, 700, 701, 65535]))
)
def test_whatever_is_packed_is_unpacked(numbers):
    np.testing.assert_array_equal(unpack_rvl(pack_rvl(numbers), len(numbers)), numbers)


def pack_rvl_at_once(numbers):
    """Compress as `pack_rvl` does, of numbers (N,) in which depth and none take turns."""
    zeros = np.ones(len(numbers) // 2, np.int64)
    deltas = np.diff(numbers[1::2].astype(np.int64), prepend=0)
    coded = np.where(deltas >= 0, 2 * deltas, -2 * deltas - 1)
    values = np.stack((zeros, zeros, coded), 1).ravel()
    parts = (values[:, None] >> 3 * np.arange(7)) & 7
    lengths = np.maximum(1, 7 - np.argmax(parts[:, ::-1] > 0, 1)) * (values > 0) + (values == 0)
    more = np.arange(7) < lengths[:, None] - 1
    nibbles = (parts + 8 * more)[np.arange(7) < lengths[:, None]]
    nibbles = np.pad(nibbles, (0, -len(nibbles) % 8)).reshape(-1, 8).astype(np.uint32)
    return (nibbles << 4 * np.arange(7, -1, -1, dtype=np.uint32)).sum(1).astype('<u4').tobytes()


def test_noise_in_which_each_pixel_is_a_run_is_unpacked_without_counting_in_python():
    rng = np.random.default_rng(1)
    small, large = (rng.integers(1, 2**16, size, np.uint16) for size in (40, 1 << 20))
    for numbers in (small, large):
        numbers[::2] = 0
    assert pack_rvl_at_once(small) == pack_rvl(small)
    packed = pack_rvl_at_once(large)

    with lines_run() as lines:
        unpacked = unpack_rvl(packed, len(large))

    np.testing.assert_array_equal(unpacked, large)
    assert len(lines) < len(large) / 100


@contextmanager
def lines_run():
    """Count the lines of Python that are run meanwhile."""
    lines = []

    def trace(frame, event, _):
        if event == 'line':
            lines.append(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)


@pytest.mark.parametrize('body', [bytes(8 << 20), b'\x11' * (8 << 20), b'\x10' * (8 << 20)])
@pytest.mark.parametrize('shape', [(2, 2), (240, 320)])
def test_a_body_that_is_too_long_takes_no_memory(body, shape):
    data = bytes(12) + struct.pack('<II', *shape[::-1]) + body
    tracemalloc.start()
    try:
        with suppress(ImageError):
            decode_compressed_depth(SimpleNamespace(format=RVL, data=data), 2**25)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Blocks, and so much for each pixel.
    assert peak < 50e6 + 100 * shape[0] * shape[1]


def test_a_png_that_is_too_long_is_cut():
    data = _message(MILLIMETRES, PNG).data + bytes(8 << 20)
    tracemalloc.start()
    try:
        depth = decode_compressed_depth(SimpleNamespace(format=PNG, data=data), SIZE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(depth, MILLIMETRES * 1e-3, rtol=1e-6)
    assert peak < 4e6


@pytest.mark.parametrize('image_format', [PNG, RVL])
def test_depth_of_another_size_than_its_colour_image_is_refused_undecoded(image_format):
    message = _message(MILLIMETRES, image_format)
    assert decode_compressed_depth(message, SIZE, MILLIMETRES.shape).shape == MILLIMETRES.shape
    # Whatever follows the header would not decode.
    message.data = message.data[:40] + bytes(9)
    height, width = MILLIMETRES.shape
    with pytest.raises(ImageError, match=f'{width}x{height} .*colour image is 2x7') as caught:
        decode_compressed_depth(message, SIZE, (7, 2))
    assert caught.value.reason == 'bad_size'


# Pixels that nobody codes so: each its own run, none of which has depth, or is without.
@pytest.mark.parametrize('run', [(1, 0), (0, 1, 2)])
def test_runs_that_no_publisher_makes_are_refused(run):
    out = _Nibbles()
    for value in run * 12:
        out.put(value)
    with pytest.raises(ImageError, match='a run of'):
        unpack_rvl(out.bytes(), 12)


@pytest.mark.parametrize(
    ('message', 'reason'),
    [
        (SimpleNamespace(format='bgr8; jpeg compressed bgr8', data=b''), 'encoding'),
        (SimpleNamespace(format=PNG, data=b'short'), 'malformed'),
        (SimpleNamespace(format=RVL, data=bytes(12) + b'\1\0'), 'malformed'),
        (
            SimpleNamespace(format=RVL, data=bytes(12) + struct.pack('<II', 2**31, 2**31)),
            'too_large',
        ),
        (SimpleNamespace(format=RVL, data=bytes(12) + struct.pack('<II', 0, 5)), 'empty'),
        (_message(MILLIMETRES, '32FC1; compressedDepth png'), 'malformed'),
        (_message(MILLIMETRES.astype(np.uint8), PNG), 'malformed'),
    ],
)
def test_what_is_no_depth_is_refused(message, reason):
    with pytest.raises(ImageError) as caught:
        decode_compressed_depth(message, SIZE)
    assert caught.value.reason == reason


@settings(deadline=None, max_examples=150)
@given(
    st.sampled_from([PNG, RVL, '32FC1; compressedDepth rvl']),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=4),
    st.integers(0, 200),
)
def test_damage_gives_depth_or_an_image_error(image_format, places, kept):
    message = _message(MILLIMETRES, image_format, 10.0, -1.0)
    data = bytearray(message.data[: max(kept, 1)])
    for place, value in places:
        data[place % len(data)] = value
    message.data = bytes(data)
    try:
        depth = decode_compressed_depth(message, 4 * SIZE)
    except ImageError:
        return
    assert depth.ndim == 2 and depth.size <= 4 * SIZE
