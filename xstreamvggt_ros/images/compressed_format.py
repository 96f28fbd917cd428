# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the format and the first bytes of a CompressedImage say, before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
import struct

from xstreamvggt_ros.geometry.quoting import quoted
from xstreamvggt_ros.images.errors import ImageError

# By their first bytes.
_JPEG = b'\xff\xd8\xff'
PNG_SIGNATURE = b'\x89PNG\r\n\x1a\n'
_READ = (_JPEG, PNG_SIGNATURE)
_OTHERS = {
    'WebP': (b'RIFF',),
    'TIFF': (b'II*\0', b'MM\0*'),
    'JPEG 2000': (b'\0\0\0\x0cjP', b'\xffO\xffQ'),
    'JPEG XL': (b'\xff\n', b'\0\0\0\x0cJXL'),
    'GIF': (b'GIF8',),
    'BMP': (b'BM',),
    'a video stream (H.264, H.265)': (b'\0\0\0\x01', b'\0\0\x01'),
    'AVIF or HEIF': (b'\0\0\0\x1cftyp', b'\0\0\0 ftyp', b'\0\0\0\x18ftyp'),
}
_START_OF_SCAN = b'\xff\xda'
# A picture of three colours has ten or so. Each passes over the whole picture, and so an image of
# a few hundred kilobytes could keep a processor busy for minutes.
MAX_SCANS = 100
MAX_SCANNED = 1 << 28
# Of a PNG's chunk: length and name before what it holds, a checksum behind.
_CHUNK, _CHECKSUM_BYTES = struct.Struct('>I4s'), 4
_ANIMATION = (b'acTL', b'fcTL', b'fdAT')
# The largest pictures have a third of it, and each chunk is a step.
MAX_CHUNKS = 1 << 17


@dataclass(frozen=True)
class CompressedFormat:
    """
    The format of a CompressedImage, as image_transport writes it.

    encoding: of the image before it was compressed, '' where that is not told. stored: of the
    pixels that were compressed, likewise.
    """

    encoding: str = ''
    stored: str = ''

    @classmethod
    def of(cls, text: str) -> CompressedFormat:
        """Read `jpeg`, or `<encoding>; jpeg compressed <stored>`."""
        encoding, told, rest = text.partition(';')
        _, _, stored = rest.partition('compressed')
        return cls(encoding.strip() if told else '', stored.strip())

    @property
    def is_mosaic(self) -> bool:
        """Whether what was compressed has one colour a pixel, to be found from its neighbours."""
        return (self.stored or self.encoding).startswith('bayer')

    @property
    def is_swapped(self) -> bool:
        """
        Whether red and blue are stored in each other's place.

        What compresses takes its pixels for blue, green, red; those that are told to have been in
        the other order are stored so.
        """
        return self.stored.startswith('rgb')


def check_stream(data: bytes, name: str) -> None:
    """Refuse what is neither JPEG nor PNG; `name` is the message's format. ImageError."""
    if not data.startswith(_READ):
        found = [kind for kind, starts in _OTHERS.items() if data.startswith(starts)]
        what = (
            found[0] if found else f'something that begins with {data[:8]!r}' if data else 'empty'
        )
        raise ImageError(
            'malformed',
            f'a compressed image of format {quoted(name)} is {what}; publish JPEG or PNG',
        )


def check_scans(data: bytes, name: str, height: int, width: int) -> None:
    """Refuse a JPEG of that size that would take for ever; ImageError, by its format's `name`."""
    # In a large PNG the two bytes are found by chance as often.
    scans = data.count(_START_OF_SCAN) if data.startswith(_JPEG) else 0
    if scans > MAX_SCANS or (scans > 1 and scans * height * width > MAX_SCANNED):
        raise ImageError(
            'malformed',
            f'a compressed image of format {quoted(name)} has {scans} scans of '
            f'{width}x{height} pixels, which would take minutes to decode; publish baseline JPEG',
        )


def checked_png(data: bytes | memoryview) -> bytes | memoryview:
    """
    Give a PNG up to its end, without what lies behind.

    Decoders allocate what a chunk says it holds before they read it, and OpenCV's may crash over
    a damaged animation. ValueError, saying why: a chunk longer than the data, an animation, more
    chunks than a picture has.
    """
    at = len(PNG_SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if len(data) < at + _CHUNK.size:
            return data
        length, name = _CHUNK.unpack_from(data, at)
        left = len(data) - at - _CHUNK.size
        if length > left:
            raise ValueError(f'a chunk is said to have {length} bytes and has {left}')
        if name in _ANIMATION:
            raise ValueError('it is an animated PNG, not one picture')
        at += _CHUNK.size + length + _CHECKSUM_BYTES
        if name == b'IEND':
            return data[:at]
    raise ValueError(f'it has more than {MAX_CHUNKS} chunks')
