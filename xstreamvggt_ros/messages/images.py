# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/Image to RGB arrays, and depth and confidence to sensor_msgs/Image."""

from __future__ import annotations

from dataclasses import dataclass
import sys

import cv2
import numpy as np
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from xstreamvggt_ros.messages.backend import convert_image
from xstreamvggt_ros.messages.buffers import byte_array
from xstreamvggt_ros.messages.errors import check_size, ImageError

_NATIVE_BIG_ENDIAN = sys.byteorder == 'big'


@dataclass(frozen=True)
class _Layout:
    """
    How an encoding lies in a row: numbers of `dtype`, `channels` for each pixel.

    `name` is what the conversion is told. 4:2:0 encodings have a plane of half as many rows below
    the picture's; they and 4:2:2 need even sides.
    """

    name: str
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
    'rgb8': _Layout('rgb8', channels=3),
    'bgr8': _Layout('bgr8', channels=3),
    'rgba8': _Layout('rgba8', channels=4),
    'bgra8': _Layout('bgra8', channels=4),
    'mono8': _Layout('mono8'),
    # OpenCV's own types say nothing of colour; 8-bit ones are read in OpenCV's usual order.
    '8UC1': _Layout('mono8'),
    '8UC3': _Layout('bgr8', channels=3),
    'bayer_rggb8': _Layout('bayer_rggb8'),
    'bayer_bggr8': _Layout('bayer_bggr8'),
    'bayer_gbrg8': _Layout('bayer_gbrg8'),
    'bayer_grbg8': _Layout('bayer_grbg8'),
    'yuv422': _Layout('uyvy', channels=2, even_width=True),
    'uyvy': _Layout('uyvy', channels=2, even_width=True),
    'yuv422_yuy2': _Layout('yuyv', channels=2, even_width=True),
    'yuyv': _Layout('yuyv', channels=2, even_width=True),
    'nv12': _Layout('nv12', even_width=True, half_plane=True),
    'nv21': _Layout('nv21', even_width=True, half_plane=True),
    'mono16': _Layout('mono16', 'uint16'),
    'rgb16': _Layout('rgb16', 'uint16', channels=3),
    'bgr16': _Layout('bgr16', 'uint16', channels=3),
    '32FC1': _Layout('32FC1', 'float32'),
    '32FC3': _Layout('32FC3', 'float32', channels=3),
}
ENCODINGS = tuple(_LAYOUTS)

# cv_bridge knows no nv12 or nv21, and the packed encodings by sensor_msgs' old names, its new ones
# or both, from one release to the next.
_YUV_CODES = {
    'uyvy': cv2.COLOR_YUV2RGB_UYVY,
    'yuyv': cv2.COLOR_YUV2RGB_YUY2,
    'nv12': cv2.COLOR_YUV2RGB_NV12,
    'nv21': cv2.COLOR_YUV2RGB_NV21,
}


def decode_image(message: Image, max_pixels: int) -> np.ndarray:
    """
    Decode a sensor_msgs/Image into RGB (H, W, 3): uint8, or float32 in [0, 1].

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
            f'an image has encoding {message.encoding!r}; publish one of: {", ".join(ENCODINGS)}',
        )
    _check_header(message, layout, max_pixels)
    pixels = _native_rows(message, layout)
    if layout.name in _YUV_CODES:
        return _rgb_from_yuv(pixels, layout)
    if layout.dtype == 'float32':
        return _unit_floats(pixels, message)
    if layout.dtype == 'uint16':
        return np.divide(_convert(pixels, message, layout, 'rgb16'), 65535, dtype=np.float32)
    return _convert(pixels, message, layout, 'rgb8')


def depth_image(depth: np.ndarray, header: Header) -> Image:
    """Build a 32FC1 image of depth (H, W), metres along z, NaN where there is none (REP 118)."""
    return _float_image(depth, header)


def confidence_image(confidence: np.ndarray, header: Header) -> Image:
    """Build a 32FC1 image of the network's confidence (H, W), at least 1 and without a unit."""
    return _float_image(confidence, header)


def _float_image(values: np.ndarray, header: Header) -> Image:
    height, width = values.shape
    return Image(
        header=header,
        height=height,
        width=width,
        encoding='32FC1',
        is_bigendian=0,
        step=4 * width,
        data=byte_array(np.asarray(values, dtype='<f4')),
    )


def _check_header(message: Image, layout: _Layout, max_pixels: int) -> None:
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


def _native_rows(message: Image, layout: _Layout) -> np.ndarray:
    """View the data as (rows, numbers in a row) without padding; copied only where needed."""
    rows, row_bytes = layout.rows(message.height), layout.row_bytes(message.width)
    # Through uint8, since a padded step need not be a multiple of the number's size.
    data = np.frombuffer(message.data, np.uint8, count=rows * message.step)
    padded = data.reshape(rows, message.step)
    stored = np.dtype(layout.dtype).newbyteorder('>' if message.is_bigendian else '<')
    numbers = np.ascontiguousarray(padded[:, :row_bytes]).view(stored)
    return numbers.astype(layout.dtype, copy=False)


def _convert(pixels: np.ndarray, message: Image, layout: _Layout, encoding: str) -> np.ndarray:
    """Hand tight rows in native order to the library that converts colours."""
    tight = Image(
        height=message.height,
        width=message.width,
        encoding=layout.name,
        is_bigendian=int(_NATIVE_BIG_ENDIAN),
        step=layout.row_bytes(message.width),
        data=byte_array(pixels),
    )
    return convert_image(tight, encoding)


def _rgb_from_yuv(pixels: np.ndarray, layout: _Layout) -> np.ndarray:
    if not layout.half_plane:
        pixels = pixels.reshape(len(pixels), -1, layout.channels)
    return cv2.cvtColor(pixels, _YUV_CODES[layout.name])


def _unit_floats(pixels: np.ndarray, message: Image) -> np.ndarray:
    """Check that floats are in [0, 1] and shape them (H, W, 3)."""
    with np.errstate(invalid='ignore'):
        low, high = pixels.min(), pixels.max()  # NaN if there is one
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ImageError(
            'not_finite',
            f'an image in {message.encoding} has values that are NaN or infinite; '
            'publish finite colours in [0, 1]',
        )
    if low < 0 or high > 1:
        raise ImageError(
            'range',
            f'an image in {message.encoding} has values in [{low:g}, {high:g}]; '
            'scale colours to [0, 1] (a depth image is no input)',
        )
    channels = pixels.reshape(message.height, message.width, -1)
    return np.ascontiguousarray(np.broadcast_to(channels, (*channels.shape[:2], 3)))
