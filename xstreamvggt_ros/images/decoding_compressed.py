# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compressed images, of messages and of files, to RGB arrays; no ROS."""

from collections.abc import Sequence
import io
import re
import struct
from typing import Protocol

import cv2
import numpy as np
from PIL import ExifTags
from PIL import Image as PillowImage

from xstreamvggt_ros.geometry.quoting import quoted
from xstreamvggt_ros.images.compressed_format import (
    check_scans,
    check_stream,
    checked_png,
    CompressedFormat,
    PNG_SIGNATURE,
)
from xstreamvggt_ros.images.errors import check_size, ImageError

_MESSAGE_FORMATS = ('JPEG', 'PNG')
# Of Pillow's others some run programs over a file, whatever it is called.
FILE_FORMATS = (*_MESSAGE_FORMATS, 'BMP', 'PPM', 'TIFF', 'WEBP')
# What makes pictures upright by their EXIF orientation; 1 is.
_TURNS = {
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image[::-1].swapaxes(0, 1),
    7: lambda image: image[::-1, ::-1].swapaxes(0, 1),
    8: lambda image: image[:, ::-1].swapaxes(0, 1),
}


class CompressedFields(Protocol):
    """The fields of a sensor_msgs/CompressedImage."""

    format: str
    data: bytes


def decode_compressed(message: CompressedFields, max_pixels: int) -> np.ndarray:
    """
    Decode a JPEG or PNG image with the fields of a CompressedImage into RGB (H, W, 3).

    uint8; 16-bit PNG gives value / 65,535 as float32. Where the format tells that the compressed
    pixels were red, green, blue, they are stored with red and blue swapped. Alpha is dropped and
    EXIF orientation ignored, since intrinsics belong to the stored rows. ImageError: another
    format, a size above `max_pixels` (read from the header before anything is decoded), more scans
    than a JPEG has, a mosaic, an animation, a damaged or cut stream.
    """
    data, told = bytes(message.data), CompressedFormat.of(message.format)
    check_stream(data, message.format)
    picture = open_picture(data, message.format)
    if told.is_mosaic and len(picture.getbands()) == 1:
        raise ImageError(
            'encoding',
            f'a compressed image is an undecoded mosaic, {quoted(message.format)}; '
            'compress a colour topic, such as image_color of image_proc',
        )
    image = _decode(data, message.format, max_pixels, picture)
    return np.ascontiguousarray(image[..., ::-1]) if told.is_swapped else image


def decode_picture(data: bytes, name: str, max_pixels: int) -> np.ndarray:
    """
    Decode a picture of one of `FILE_FORMATS` by the same rules, but upright.

    A file's EXIF orientation is followed, as every viewer does. `name` is what errors call its
    format.
    """
    picture = open_picture(data, name, FILE_FORMATS)
    image = _decode(data, name, max_pixels, picture)
    turn = _TURNS.get(picture.getexif().get(ExifTags.Base.Orientation))
    return image if turn is None else np.ascontiguousarray(turn(image))


def _decode(data: bytes, name: str, max_pixels: int, picture: PillowImage.Image) -> np.ndarray:
    width, height = picture.size
    check_size(height, width, max_pixels)
    check_scans(data, name, height, width)
    if data.startswith(PNG_SIGNATURE):
        # libpng reads the first header chunk, Pillow the last: they must not disagree.
        if struct.unpack_from('>II', data, 16) != picture.size:
            raise _malformed(name, 'it has two headers')
        try:
            data = checked_png(data)
        except ValueError as error:
            raise _malformed(name, error) from error
        if data[24] == 16:
            return _decode_16_bit(data, name)
    try:
        if picture.mode.startswith('I;16'):
            grey = np.divide(np.array(picture), 65535, dtype=np.float32)
            return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
        if picture.mode in ('I', 'F'):
            raise ValueError(
                f'it has 32 bits a pixel (mode {picture.mode}); convert it to 8 or 16'
            )
        return np.array(picture.convert('RGB'))
    except Exception as error:  # noqa: BLE001 Pillow's parsers raise what they please
        raise _malformed(name, error) from error


def open_picture(
    data: bytes, name: str, formats: Sequence[str] = _MESSAGE_FORMATS
) -> PillowImage.Image:
    """Read the header alone; ImageError."""
    try:
        return PillowImage.open(io.BytesIO(data), formats=formats)
    except PillowImage.DecompressionBombError as error:
        raise ImageError('too_large', f'a compressed image is refused: {error}') from error
    except Exception as error:  # noqa: BLE001 Pillow's parsers raise what they please
        raise _malformed(name, error) from error


def _decode_16_bit(data: bytes, name: str) -> np.ndarray:
    """Decode a PNG of 16 bits a channel, which Pillow would cut to 8 in colour."""
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise _malformed(name, error) from error
    if pixels is None:
        raise _malformed(name, 'OpenCV cannot decode it')
    return np.divide(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), 65535, dtype=np.float32)


def _malformed(name: str, why: object) -> ImageError:
    # Without the objects that Pillow names by their address.
    why = re.sub(' ?<[^>]*>', '', str(why))
    return ImageError(
        'malformed',
        f'a compressed image of format {quoted(name)} does not decode ({why}); '
        'publish whole JPEG or PNG streams',
    )
