# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth as compressed_depth_image_transport sends it."""

import struct
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from xstreamvggt_ros.images.decoding_compressed_depth import decode_compressed_depth
from xstreamvggt_ros.images.errors import ImageError

METRES = np.linspace(0.4, 9.0, 24 * 32, dtype=np.float32).reshape(24, 32)


def message(told, numbers, a=0.0, b=0.0, cut=None):
    stream = cv2.imencode('.png', numbers)[1].tobytes()
    return SimpleNamespace(format=told, data=struct.pack('<iff', 0, a, b) + stream[:cut])


def quantised(metres, quality=100.0, furthest=10.0):
    """Quantise inverse depth as the transport's encoder does."""
    a = quality * (quality + 1.0)
    b = 1.0 - a / furthest
    numbers = np.where(metres > 0, a / np.maximum(metres, 1e-3) + b, 0)
    return message('32FC1; compressedDepth png', numbers.astype(np.uint16), a, b)


def test_millimetres_come_back_exactly():
    numbers = np.round(1000 * METRES).astype(np.uint16)
    numbers[0, 0] = 0
    found = decode_compressed_depth(message('16UC1; compressedDepth png', numbers), 10_000)
    np.testing.assert_allclose(found, numbers / 1000, rtol=1e-6)
    assert found.dtype == np.float32


def test_quantised_metres_come_back_as_closely_as_they_were_sent():
    metres = METRES.copy()
    metres[3, 4] = 0
    found = decode_compressed_depth(quantised(metres), 10_000)
    assert found[3, 4] == 0
    np.testing.assert_allclose(found[metres > 0], metres[metres > 0], rtol=2e-3)


@pytest.mark.parametrize(
    ('wrong', 'words'),
    [
        (lambda: message('16UC1; compressedDepth rvl', np.ones((4, 4), np.uint16)), 'RVL'),
        (lambda: message('jpeg', np.ones((4, 4), np.uint16)), "has format 'jpeg'"),
        (lambda: message('16UC1; compressedDepth png', np.ones((4, 4), np.uint8)), '16 bits'),
        (lambda: message('16UC1; compressedDepth png', np.ones((400, 400), np.uint16)), 'max_pix'),
        (lambda: message('16UC1; compressedDepth png', np.ones((4, 4), np.uint16), cut=12), 'PNG'),
        (
            lambda: message('16UC1; compressedDepth png', np.ones((9, 9), np.uint16), cut=50),
            'whole',
        ),
        (
            lambda: message('32FC1; compressedDepth png', np.ones((4, 4), np.uint16), np.nan),
            'quantised by nan',
        ),
        (lambda: SimpleNamespace(format='16UC1; compressedDepth png', data=b'abc'), '3 bytes'),
    ],
)
def test_what_is_no_such_depth_is_refused_by_name(wrong, words):
    with pytest.raises(ImageError, match=words):
        decode_compressed_depth(wrong(), 10_000)
