# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Raw images to RGB arrays: one set of rules for messages, bags and files; no ROS.

What is decoded has the fields of a sensor_msgs/Image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from xstreamvggt_ros.geometry.quoting import quoted
from xstreamvggt_ros.images.errors import check_size, ImageError


class ImageFields(Protocol):
    """The fields of a sensor_msgs/Image that its pixels follow from."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: bytes


@dataclass(frozen=True)
class _Layout:
    """
    How an encoding lies in a row: numbers of `dtype`, `channels` for each pixel.

    `to_rgb` is OpenCV's code of the conversion, None where there is nothing to convert. 4:2:0
    encodings have a plane of half as many rows below the picture's; they and 4:2:2 need even
    sides.
    """

    to_rgb: int | None = None
    dtype: str = 'uint8'
    channels: int = 1
    even_width: bool = False
    half_plane: bool = False

    def rows(self, height: int) -> int:
        """Count the rows of bytes that a picture of `height` rows has."""
        return height * 3 // 2 if self.half_plane else height

    def row_bytes(self, width: int) -> int:
        """Count the bytes of a row without its padding."""
        return width * self.channels * np.dtype(self.dtype).itemsize


_LAYOUTS = {
    'rgb8': _Layout(channels=3),
    'bgr8': _Layout(cv2.COLOR_BGR2RGB, channels=3),
    'rgba8': _Layout(cv2.COLOR_RGBA2RGB, channels=4),
    'bgra8': _Layout(cv2.COLOR_BGRA2RGB, channels=4),
    'mono8': _Layout(cv2.COLOR_GRAY2RGB),
    # OpenCV's own types say nothing of colour; 8-bit ones are read in OpenCV's usual order.
    '8UC1': _Layout(cv2.COLOR_GRAY2RGB),
    '8UC3': _Layout(cv2.COLOR_BGR2RGB, channels=3),
    # OpenCV names a mosaic by the second row's second and third pixel.
    'bayer_rggb8': _Layout(cv2.COLOR_BayerBG2RGB),
    'bayer_bggr8': _Layout(cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg8': _Layout(cv2.COLOR_BayerGR2RGB),
    'bayer_grbg8': _Layout(cv2.COLOR_BayerGB2RGB),
    'yuv422': _Layout(cv2.COLOR_YUV2RGB_UYVY, channels=2, even_width=True),
    'uyvy': _Layout(cv2.COLOR_YUV2RGB_UYVY, channels=2, even_width=True),
    'yuv422_yuy2': _Layout(cv2.COLOR_YUV2RGB_YUY2, channels=2, even_width=True),
    'yuyv': _Layout(cv2.COLOR_YUV2RGB_YUY2, channels=2, even_width=True),
    'nv12': _Layout(cv2.COLOR_YUV2RGB_NV12, even_width=True, half_plane=True),
    'nv21': _Layout(cv2.COLOR_YUV2RGB_NV21, even_width=True, half_plane=True),
    'mono16': _Layout(cv2.COLOR_GRAY2RGB, 'uint16'),
    'rgb16': _Layout(None, 'uint16', channels=3),
    'bgr16': _Layout(cv2.COLOR_BGR2RGB, 'uint16', channels=3),
    '32FC1': _Layout(cv2.COLOR_GRAY2RGB, 'float32'),
    '32FC3': _Layout(None, 'float32', channels=3),
}
ENCODINGS = tuple(_LAYOUTS)


def decode_image(message: ImageFields, max_pixels: int) -> np.ndarray:
    """
    Decode an image into RGB (H, W, 3): uint8, or float32 in [0, 1].

    8-bit encodings give uint8 (8UC1 is read as mono8, 8UC3 as bgr8), 16-bit ones value / 65,535 as
    float32, 32FC1 and 32FC3 (taken as RGB) their values. YUV is BT.601 in limited range, as OpenCV
    has it. nv12 and nv21 follow sensor_msgs/image_encodings: `height` is the picture's, and below
    its rows lie half as many of interleaved chroma, of the same step. Row padding and big-endian
    numbers are understood. The result may share the message's memory: do not write into it.

    ImageError: an encoding that is not listed, or a header or data that do not fit together; the
    header is judged before anything is allocated.
    """
    layout = _LAYOUTS.get(message.encoding)
    if layout is None:
        raise ImageError(
            'encoding',
            f'an image has encoding {quoted(message.encoding)}; publish one of: '
            f'{", ".join(ENCODINGS)}',
        )
    _check_header(message, layout, max_pixels)
    pixels = _native_rows(message, layout)
    if layout.dtype == 'float32':
        _check_floats(pixels, message.encoding)
    if layout.channels > 1:
        pixels = pixels.reshape(len(pixels), -1, layout.channels)
    image = pixels if layout.to_rgb is None else cv2.cvtColor(pixels, layout.to_rgb)
    return np.divide(image, 65535, dtype=np.float32) if image.dtype == np.uint16 else image


def _check_header(message: ImageFields, layout: _Layout, max_pixels: int) -> None:
    height, width, step = message.height, message.width, message.step
    check_size(height, width, max_pixels)
    if layout.even_width and width % 2 or layout.half_plane and height % 2:
        raise ImageError(
            'odd_size',
            f'an image is {width}x{height} pixels in {message.encoding}, whose colours are shared '
            'by pairs of pixels; publish an even size',
        )
    if step < layout.row_bytes(width):
        raise ImageError(
            'step',
            f'an image has step {step} but {width} pixels of {message.encoding} take '
            f'{layout.row_bytes(width)} bytes; set step to the length of a row in bytes',
        )
    needed = step * layout.rows(height)
    if len(message.data) < needed:
        raise ImageError(
            'short_data',
            f'an image has {len(message.data)} bytes of data but {layout.rows(height)} rows of '
            f'step {step} take {needed}; publish whole images',
        )


def _native_rows(message: ImageFields, layout: _Layout) -> np.ndarray:
    """View the data as (rows, numbers in a row) without padding; copied only where needed."""
    rows, row_bytes = layout.rows(message.height), layout.row_bytes(message.width)
    # Through uint8, since a padded step need not be a multiple of the number's size.
    data = np.frombuffer(message.data, np.uint8, count=rows * message.step)
    padded = data.reshape(rows, message.step)
    stored = np.dtype(layout.dtype).newbyteorder('>' if message.is_bigendian else '<')
    numbers = np.ascontiguousarray(padded[:, :row_bytes]).view(stored)
    return numbers.astype(layout.dtype, copy=False)


def _check_floats(values: np.ndarray, encoding: str) -> None:
    """Refuse what is not in [0, 1]."""
    with np.errstate(invalid='ignore'):
        low, high = values.min(), values.max()  # NaN if there is one
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError(
            'not_finite',
            f'an image in {encoding} has values that are NaN or infinite; '
            'publish finite colours in [0, 1]',
        )
    if low < 0 or high > 1:
        raise ImageError(
            'range',
            f'an image in {encoding} has values in [{low:g}, {high:g}]; '
            'scale colours to [0, 1] (a depth image is no input)',
        )
