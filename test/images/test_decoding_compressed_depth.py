# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth of compressed_depth_image_transport, coded here as its publisher does it."""

from contextlib import suppress
import struct
import tracemalloc
from types import SimpleNamespace
import zlib

import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from rvl_packing import pack_rvl

from xstreamvggt_ros.images.decoding_compressed_depth import decode_compressed_depth
from xstreamvggt_ros.images.errors import ImageError

MILLIMETRES = np.array([[0, 1500, 1501, 0], [65535, 3, 0, 0], [1, 0, 2000, 1990]], np.uint16)
SIZE = MILLIMETRES.size
PNG, RVL = '16UC1; compressedDepth png', '16UC1; compressedDepth rvl'


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


def _chunk(name, body):
    return struct.pack('>I', len(body)) + name + body + struct.pack('>I', zlib.crc32(name + body))


@pytest.mark.parametrize(
    ('inserted', 'words'),
    [
        (struct.pack('>I', 0xFFFFFFF0) + b'IDAT', '4294967280 bytes'),
        (struct.pack('>I', 0xFFFFFFF0) + b'tEXt', 'does not decode'),
        (_chunk(b'acTL', struct.pack('>II', 2, 0)), 'animated PNG'),
    ],
    ids=['pixels', 'text', 'animation'],
)
def test_a_png_that_claims_more_than_it_has_is_refused_undecoded(inserted, words, monkeypatch):
    monkeypatch.setattr(cv2, 'imdecode', None)
    data = _message(MILLIMETRES, PNG).data
    end_of_header = 12 + 8 + 25
    data = data[:end_of_header] + inserted + data[end_of_header:]
    with pytest.raises(ImageError, match=words) as caught:
        decode_compressed_depth(SimpleNamespace(format=PNG, data=data), SIZE)
    assert caught.value.reason == 'malformed'


def test_exif_orientation_of_a_png_is_ignored():
    exif = _chunk(b'eXIf', b'MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06' + bytes(6))
    data = _message(MILLIMETRES, PNG).data
    end_of_header = 12 + 8 + 25
    data = data[:end_of_header] + exif + data[end_of_header:]
    depth = decode_compressed_depth(SimpleNamespace(format=PNG, data=data), SIZE)
    np.testing.assert_allclose(depth, MILLIMETRES * 1e-3, rtol=1e-6)


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
