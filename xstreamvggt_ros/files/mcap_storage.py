# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
An MCAP file (mcap.dev/spec), read chunk by chunk, so that damage costs its chunk and no more.

Libraries refuse a whole file for one channel that they do not know, or for its missing end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
import math
from pathlib import Path
import struct
from zlib import crc32

from xstreamvggt_ros.files.compression import decompress
from xstreamvggt_ros.files.mcap_records import (
    Body,
    Chunk,
    MAGIC,
    MESSAGE_HEAD,
    Op,
    read_channel,
    read_chunk,
    read_chunk_index,
    read_counts,
    read_message,
    read_schema,
    Records,
)
from xstreamvggt_ros.files.storage import Channel, Contents, Message
from xstreamvggt_ros.files.waiting import Waiting

# Of one chunk; they take some hundred bytes each, however small they are in the file.
MOST_RECORDS = 2**20
FOOTER_BYTES = 9 + 20 + len(MAGIC)


@dataclass(frozen=True)
class _Loose:
    """A message that stands in no chunk."""

    number: int
    stamp_ns: int
    offset: int


class McapStorage:
    """One file; `contents.problems` grows as damage is met."""

    def __init__(self, path: Path) -> None:
        """Open it; ValueError where it is no MCAP file or nothing of it can be read."""
        self._path = path
        self._file = path.open('rb')
        self._size = path.stat().st_size
        self.contents = Contents()
        self._schemas: dict[int, tuple[str, str, str]] = {}
        self._channels: dict[int, tuple] = {}
        self._counts: Counter[int] = Counter()
        self._chunks: list[Chunk] = []
        self._loose: list[_Loose] = []
        self._last: tuple[int, list] | None = None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def messages(
        self, channels: Collection[Channel], start_ns: int, stop_ns: int
    ) -> Iterator[Message]:
        """Read messages in order of time."""
        by_number = {channel.number: channel for channel in channels}
        waiting = Waiting()
        for first_ns, read in self._pieces(start_ns, stop_ns):
            # Chunks overlap in time: what is before the next one's first message can go.
            for number, stamp, data in waiting.before(first_ns):
                yield by_number[number], stamp, data
            if waiting.crowded:
                self._tell(
                    f'{self._path}: too many of its chunks overlap in time to be held at once; '
                    'its messages are not in order of time: `mcap sort` puts them into it'
                )
            for number, stamp, data in read():
                if number in by_number and start_ns <= stamp < stop_ns:
                    waiting.put(number, stamp, data)
        for number, stamp, data in waiting.before(math.inf):
            yield by_number[number], stamp, data

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _pieces(self, start_ns: int, stop_ns: int) -> Iterator[tuple[int, object]]:
        """Give chunks and loose messages by their first time, with what reads them."""
        pieces = [
            (chunk.start_ns, index, lambda chunk=chunk: self._messages_of(chunk))
            for index, chunk in enumerate(self._chunks)
            if chunk.start_ns < stop_ns and chunk.end_ns >= start_ns
        ]
        pieces += [
            (each.stamp_ns, index, lambda each=each: [self._loose_message(each)])
            for index, each in enumerate(self._loose, len(self._chunks))
            if start_ns <= each.stamp_ns < stop_ns
        ]
        for first_ns, _, read in sorted(pieces, key=lambda piece: piece[:2]):
            yield first_ns, read

    def _open(self) -> None:
        self._file.seek(0)
        if self._file.read(len(MAGIC)) != MAGIC:
            raise ValueError('it does not begin as an MCAP file does')
        if not self._read_summary():
            self._walk()
        self._describe()

    def _read_summary(self) -> bool:
        """Read the index at the end; False where there is none that can be used."""
        try:
            self._file.seek(self._size - FOOTER_BYTES)
            footer = self._file.read(FOOTER_BYTES)
            op, _, start, _, _ = struct.unpack_from('<BQQQI', footer)
            if not footer.endswith(MAGIC) or op != Op.FOOTER:
                self.contents.problems.append(
                    f'{self._path} was not finished; it is read as far as it goes'
                )
                return False
            if not start:
                return False
            self._file.seek(start)
            for op, _, body in Records(self._file, self._size - FOOTER_BYTES):
                self._take_summary(op, body())
            # One that is named again would be read again.
            self._chunks = list({chunk.offset: chunk for chunk in self._chunks}.values())
        except (ValueError, struct.error, OSError) as error:
            self.contents.problems.append(f'{self._path}: its index is damaged: {error}')
            self._forget()
            return False
        # Without chunks in the index there may be loose messages.
        if not (self._chunks and self._channels):
            return False
        if not self._counts:
            self._look_into_chunks()
        return True

    def _take_summary(self, op: int, body: bytes) -> None:
        if op == Op.SCHEMA:
            number, *schema = read_schema(body)
            self._schemas[number] = tuple(schema)
        elif op == Op.CHANNEL:
            number, *channel = read_channel(body)
            self._channels[number] = tuple(channel)
        elif op == Op.CHUNK_INDEX:
            self._chunks.append(read_chunk_index(body))
        elif op == Op.STATISTICS:
            self._counts.update(read_counts(body))

    def _forget(self) -> None:
        self._schemas, self._channels, self._counts = {}, {}, Counter()
        self._chunks, self._loose = [], []

    def _walk(self) -> None:
        """Find the chunks and loose messages record by record, up to where the file breaks off."""
        self._forget()
        self._file.seek(len(MAGIC))
        try:
            for op, offset, body in Records(self._file, self._size):
                if op == Op.DATA_END:
                    break
                self._take_record(op, offset, body)
        except (ValueError, struct.error) as error:
            self.contents.problems.append(f'{self._path} breaks off: {error}')
        self._look_into_chunks()

    def _take_record(self, op: int, offset: int, body) -> None:
        if op in (Op.SCHEMA, Op.CHANNEL):
            self._take_summary(op, body())
        elif op == Op.CHUNK:
            self._chunks.append(read_chunk(self._file, offset, self._size))
        elif op == Op.MESSAGE:
            number, stamp, _ = read_message(body(MESSAGE_HEAD.size))
            self._loose.append(_Loose(number, stamp, offset))

    def _look_into_chunks(self) -> None:
        """Find channels, and count messages, where no index has them."""
        self._counts.update(each.number for each in self._loose)
        for chunk in self._chunks:
            for op, offset, body in self._records_of(chunk):
                if op == Op.MESSAGE:
                    self._counts[read_message(body(MESSAGE_HEAD.size))[0]] += 1
                    continue
                try:
                    self._take_summary(op, body())
                except (ValueError, struct.error) as error:
                    self.contents.problems.append(
                        f'{self._path}: a record at {offset} of the chunk at {chunk.offset} is '
                        f'left out, it is damaged: {error}'
                    )

    def _describe(self) -> None:
        for number, (schema, topic, encoding, metadata) in self._channels.items():
            name, language, text = self._schemas.get(schema, ('', '', ''))
            qos = metadata.get('offered_qos_profiles', '')
            count = self._counts[number]
            channel = Channel(number, topic, name, count, encoding, text, language, qos)
            self.contents.channels.append(channel)
        for chunk in self._chunks:
            # An empty chunk has the times 0.
            if chunk.end_ns:
                self.contents.extent.take(chunk.start_ns, chunk.end_ns)
        for each in self._loose:
            self.contents.extent.take(each.stamp_ns, each.stamp_ns)

    def _loose_message(self, each: _Loose) -> tuple[int, int, bytes]:
        self._file.seek(each.offset)
        for _, _, body in Records(self._file, self._size):
            return read_message(body())
        raise ValueError('it is not in the file any more')

    def _messages_of(self, chunk: Chunk) -> list[tuple[int, int, bytes]]:
        """Read a chunk's messages in order of time; the last chunk is kept for the next look."""
        if self._last is None or self._last[0] != chunk.offset:
            records = self._records_of(chunk)
            found = [read_message(body()) for op, _, body in records if op == Op.MESSAGE]
            self._last = chunk.offset, sorted(found, key=lambda message: message[1])
        return self._last[1]

    def _records_of(self, chunk: Chunk) -> Iterable[tuple[int, int, Body]]:
        """Read a chunk's records; a damaged one has none, one that is cut those before the cut."""
        try:
            whole = read_chunk(self._file, chunk.offset, self._size)
            self._file.seek(chunk.offset + whole.data_at)
            data = self._file.read(whole.length)
            is_cut = len(data) < whole.length
            data = decompress(data, whole.compression, whole.size)
            if whole.crc and not is_cut and crc32(data) != whole.crc:
                raise ValueError('its checksum is wrong')
            return _records_in(data, is_cut)
        except Exception as error:  # noqa: BLE001 decompressors raise what they please
            self._tell(
                f'{self._path}: a chunk recorded from {chunk.start_ns} to {chunk.end_ns} ns is '
                f'left out, it is damaged: {error}'
            )
            return ()

    def _tell(self, text: str) -> None:
        if text not in self.contents.problems:
            self.contents.problems.append(text)


def _records_in(data: bytes, is_cut: bool) -> Iterator[tuple[int, int, Body]]:
    """Give a chunk's records; ValueError for damage, or as many as only a hostile one holds."""
    # Seen through before the first is given: damage costs the whole chunk.
    for count, _ in enumerate(Records.of_bytes(data, is_cut), 1):
        if count > MOST_RECORDS:
            raise ValueError(f'it holds more than {MOST_RECORDS} records')
    return Records.of_bytes(data, is_cut)
