# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images and depth out of messages, within bounds of size and time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import numpy as np
from sensor_msgs.msg import CompressedImage, Image

from xstreamvggt_ros.geometry.quoting import quoted
from xstreamvggt_ros.images.decoding import decode_image
from xstreamvggt_ros.images.decoding_compressed import decode_compressed
from xstreamvggt_ros.images.decoding_compressed_depth import decode_compressed_depth
from xstreamvggt_ros.images.decoding_depth import decode_depth
from xstreamvggt_ros.images.errors import ImageError
from xstreamvggt_ros.images.value_range import ValueRange
from xstreamvggt_ros.intake.bounded import BoundedWork, TookTooLong
from xstreamvggt_ros.parameters import Parameters

# Seconds that a compressed image may take to decode; the largest ones take half of one.
DECODE_SECONDS = 5.0


class _Bounded:
    """Decode within a bound what says itself how long it takes: a hostile stream, for ever."""

    def __init__(self) -> None:
        self._work = BoundedWork(DECODE_SECONDS)
        self.close = self._work.close

    def do(self, decode: Callable[[], np.ndarray], named: str, remedy: str) -> np.ndarray:
        """Return what is decoded; ImageError where that takes too long."""
        try:
            return self._work.do(decode)
        except TookTooLong as error:
            raise ImageError(
                'decode_time', f'{named} is not waited for any longer: {error}; publish {remedy}'
            ) from error


class MessageDecoder:
    """Decode the cameras' messages; `parameters` gives the configuration as it is now."""

    def __init__(self, parameters: Callable[[], Parameters], tell: Callable[[str], None]) -> None:
        """Say with `tell` what is not as it should be."""
        self._parameters = parameters
        self._bounded = _Bounded()
        self._value_ranges = defaultdict(lambda: ValueRange(tell))

    def decode(self, message: Image | CompressedImage, camera: int) -> np.ndarray:
        """Return a camera's image (H, W, 3); ImageError."""
        image = self._decode(message)
        if image.dtype == np.float32 and not getattr(message, 'encoding', '').startswith('32F'):
            value_range = self._parameters().input.value_range
            image = self._value_ranges[camera].apply(image, value_range)
        return image

    def _decode(self, message: Image | CompressedImage) -> np.ndarray:
        max_pixels = self._parameters().input.max_pixels
        if not isinstance(message, CompressedImage):
            return decode_image(message, max_pixels)
        return self._bounded.do(
            lambda: decode_compressed(message, max_pixels),
            f'a compressed image of {len(message.data)} bytes, format {quoted(message.format)},',
            'baseline JPEG, or smaller images',
        )

    def close(self) -> None:
        """Let go of what decodes."""
        self._bounded.close()


class DepthDecoder:
    """Decode depth images; `parameters` gives the configuration as it is now."""

    def __init__(self, parameters: Callable[[], Parameters]) -> None:
        """Begin without an image."""
        self._parameters = parameters
        self._bounded = _Bounded()

    def decode(self, message: Image | CompressedImage, size: tuple[int, int]) -> np.ndarray:
        """
        Return metres (H, W) float32; `size` is the colour image's height and width.

        ImageError, for another size too, before anything is decoded.
        """
        max_pixels = self._parameters().input.max_pixels
        if not isinstance(message, CompressedImage):
            return decode_depth(message, max_pixels, size)
        return self._bounded.do(
            lambda: decode_compressed_depth(message, max_pixels, size),
            f'a compressed depth image of {len(message.data)} bytes',
            'smaller or raw depth images',
        )

    def close(self) -> None:
        """Let go of what decodes."""
        self._bounded.close()
