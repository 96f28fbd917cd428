# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/CompressedImage to RGB arrays."""

import io
import struct

import cv2
import numpy as np
from PIL import Image as PillowImage
from sensor_msgs.msg import CompressedImage

from xstreamvggt_ros.messages.errors import check_size, ImageError

_PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'


def decode_compressed(message: CompressedImage, max_pixels: int) -> np.ndarray:
    """
    Decode a JPEG or PNG sensor_msgs/CompressedImage into RGB (H, W, 3).

    uint8; 16-bit PNG gives value / 65,535 as float32. Alpha is dropped and EXIF orientation
    ignored, since intrinsics belong to the stored rows. ImageError: another format, a size above
    `max_pixels` (read from the header before anything is decoded), a damaged or cut stream.
    """
    data = bytes(message.data)
    picture = _open(data, message.format)
    width, height = picture.size
    check_size(height, width, max_pixels)
    if picture.mode == 'L' and message.format.startswith('bayer'):
        raise ImageError(
            'encoding',
            f'a compressed image is an undecoded mosaic, {message.format!r}; '
            'compress a colour topic, such as image_color of image_proc',
        )
    if data.startswith(_PNG_SIGNATURE):
        # libpng reads the first header chunk, Pillow the last: they must not disagree.
        if struct.unpack_from('>II', data, 16) != picture.size:
            raise _malformed(message.format, 'it has two headers')
        if data[24] == 16:
            return _decode_16_bit(data, message.format)
    try:
        return np.array(picture.convert('RGB'))
    except Exception as error:  # noqa: BLE001 Pillow's parsers raise what they please
        raise _malformed(message.format, error) from error


def _open(data: bytes, name: str) -> PillowImage.Image:
    """Read the header alone."""
    try:
        return PillowImage.open(io.BytesIO(data), formats=('JPEG', 'PNG'))
    except PillowImage.DecompressionBombError as error:
        raise ImageError('too_large', f'a compressed image is refused: {error}') from error
    except Exception as error:  # noqa: BLE001 Pillow's parsers raise what they please
        raise _malformed(name, error) from error


def _decode_16_bit(data: bytes, name: str) -> np.ndarray:
    """Decode a PNG of 16 bits a channel, which Pillow would cut to 8 in colour."""
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise _malformed(name, error) from error
    if pixels is None:
        raise _malformed(name, 'OpenCV cannot decode it')
    return np.divide(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), 65535, dtype=np.float32)


def _malformed(name: str, why: object) -> ImageError:
    return ImageError(
        'malformed',
        f'a compressed image of format {name!r} does not decode ({why}); '
        'publish whole JPEG or PNG streams',
    )
