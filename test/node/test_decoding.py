# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth of messages is decoded within bounds."""

import threading
from types import SimpleNamespace

import pytest
from sensor_msgs.msg import CompressedImage

from xstreamvggt_ros.images.errors import ImageError
from xstreamvggt_ros.node import decoding

PARAMETERS = SimpleNamespace(input=SimpleNamespace(max_pixels=100))


@pytest.fixture
def decoder():
    made = decoding.DepthDecoder(lambda: PARAMETERS)
    yield made
    made.close()


def test_compressed_depth_that_takes_too_long_is_not_waited_for(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(decoding, 'DECODE_SECONDS', 0.05)
    monkeypatch.setattr(decoding, 'decode_compressed_depth', lambda *_: released.wait(30))
    decoder = decoding.DepthDecoder(lambda: PARAMETERS)
    try:
        for words in ('not done after 0.05 s', 'still being worked on'):
            with pytest.raises(ImageError, match=words) as caught:
                decoder.decode(CompressedImage(data=bytes(7)), (2, 2))
            assert caught.value.reason == 'decode_time'
    finally:
        released.set()
        decoder.close()


def test_errors_of_compressed_depth_come_through(decoder):
    message = CompressedImage(
        format='16UC1; compressedDepth rvl', data=bytes(12) + b'\x09\0\0\0' * 2
    )
    with pytest.raises(ImageError, match='9x9 pixels but the colour image is 4x3'):
        decoder.decode(message, (3, 4))
