# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The records of an MCAP file (mcap.dev/spec), as bytes say them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
import struct
from typing import BinaryIO

MAGIC = b'\x89MCAP0\r\n'
# Of a message, what stands before its data.
MESSAGE_HEAD = struct.Struct('<HIQQ')


class Op(IntEnum):
    """What a record is."""

    FOOTER = 0x02
    SCHEMA = 0x03
    CHANNEL = 0x04
    MESSAGE = 0x05
    CHUNK = 0x06
    CHUNK_INDEX = 0x08
    STATISTICS = 0x0B
    DATA_END = 0x0F


@dataclass(frozen=True)
class Chunk:
    """
    Where a chunk's record begins, and what it says of itself.

    The compressed records begin `data_at` bytes on and have `length`; they become `size` bytes.
    """

    offset: int
    start_ns: int
    end_ns: int
    size: int = 0
    crc: int = 0
    compression: str = ''
    data_at: int = 0
    length: int = 0


# Gives a record's body, or its first bytes; of a chunk's data they are views, nothing is copied.
Body = Callable[..., bytes | memoryview]


class Records:
    """Records from where the file stands on, up to `end`; ValueError where one is cut."""

    def __init__(self, file: BinaryIO, end: int) -> None:
        """Take a file."""
        self._file, self._end = file, end

    @staticmethod
    def of_bytes(data: bytes, cut: bool = False) -> Iterator[tuple[int, int, Body]]:
        """Give the records in a chunk's data; the whole ones of one that is cut."""
        view = memoryview(data)
        at = 0
        while at < len(data):
            if cut and len(data) < at + 9:
                return
            op, length = struct.unpack_from('<BQ', data, at)
            body = view[at + 9 : at + 9 + length]
            if len(body) < length and cut:
                return
            if len(body) < length:
                raise ValueError(f'a record of {length} bytes ends after {len(body)}')
            if op == Op.MESSAGE and length < MESSAGE_HEAD.size:
                raise ValueError(f'a message has {length} bytes, fewer than its head')
            yield op, at, _slicer(body)
            at += 9 + length

    def __iter__(self) -> Iterator[tuple[int, int, Body]]:
        """Give kind, offset and what reads the body; a chunk that is cut is the last."""
        at = self._file.tell()
        while at < self._end:
            self._file.seek(at)
            head = self._file.read(9)
            if len(head) < 9:
                raise ValueError(f'a record ends after {len(head)} bytes')
            op, length = struct.unpack('<BQ', head)
            is_cut = at + 9 + length > self._end
            if not is_cut or op == Op.CHUNK:
                yield op, at, self._reader(at + 9, length)
            if is_cut:
                raise ValueError(
                    f'a record of {length} bytes at {at} goes beyond the file, it is cut short'
                )
            at += 9 + length

    def _reader(self, at: int, length: int) -> Body:
        def read(most: int = length) -> bytes:
            self._file.seek(at)
            return self._file.read(min(most, length))

        return read


def _slicer(body: memoryview) -> Body:
    return lambda most=None: body[:most]


class _Fields:
    """Fields one after another; struct.error and ValueError where they end early."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data, self.at = data, 0

    def numbers(self, kinds: str) -> tuple:
        found = struct.unpack_from(f'<{kinds}', self._data, self.at)
        self.at += struct.calcsize(f'<{kinds}')
        return found

    def block(self) -> bytes | memoryview:
        (length,) = self.numbers('I')
        found = self._data[self.at : self.at + length]
        if len(found) < length:
            raise ValueError(f'a field of {length} bytes ends after {len(found)}')
        self.at += length
        return found

    def text(self) -> str:
        return str(self.block(), 'utf-8', 'replace')

    def done(self) -> bool:
        return self.at >= len(self._data)


def read_schema(body: bytes | memoryview) -> tuple[int, str, str, str]:
    """Read number, name, language and text."""
    fields = _Fields(body)
    (number,) = fields.numbers('H')
    return number, fields.text(), fields.text(), fields.text()


def read_channel(body: bytes | memoryview) -> tuple[int, int, str, str, dict[str, str]]:
    """Read number, number of the schema, topic, encoding of the messages and metadata."""
    fields = _Fields(body)
    number, schema = fields.numbers('HH')
    topic, encoding = fields.text(), fields.text()
    pairs, metadata = _Fields(fields.block()), {}
    while not pairs.done():
        key = pairs.text()
        metadata[key] = pairs.text()
    return number, schema, topic, encoding, metadata


def read_message(body: bytes | memoryview) -> tuple[int, int, bytes]:
    """Read number of the channel, time of recording and data."""
    number, _, stamp, _ = MESSAGE_HEAD.unpack_from(body)
    return number, stamp, bytes(body[MESSAGE_HEAD.size :])


def read_chunk(file: BinaryIO, offset: int, end: int) -> Chunk:
    """Read what stands before a chunk's data."""
    file.seek(offset)
    # Enough for the numbers and the name of a compression.
    fields = _Fields(file.read(max(0, min(256, end - offset))))
    fields.numbers('BQ')
    start, stop, size, crc = fields.numbers('QQQI')
    compression = fields.text()
    (length,) = fields.numbers('Q')
    return Chunk(offset, start, stop, size, crc, compression, fields.at, min(length, end))


def read_chunk_index(body: bytes | memoryview) -> Chunk:
    """Read where a chunk is, and its times."""
    start, stop, offset, _ = _Fields(body).numbers('QQQQ')
    return Chunk(offset, start, stop)


def read_counts(body: bytes | memoryview) -> dict[int, int]:
    """Read how many messages each channel has."""
    fields = _Fields(body)
    fields.numbers('QHIIIIQQ')
    counts = fields.block()
    return dict(struct.iter_unpack('<HQ', counts[: len(counts) // 10 * 10]))
