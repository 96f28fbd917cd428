# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag's files as one recording: times and counts are the files' own, not metadata.yaml's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
import heapq
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from xstreamvggt_ros.files.compression import decompress, ZSTD_MAGIC
from xstreamvggt_ros.files.offered_qos import offered_qos, OfferedQos
from xstreamvggt_ros.files.storage import Channel, Extent, Storage
from xstreamvggt_ros.files.typestores import bag_typestore

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

END_OF_TIME = 2**63 - 1


@dataclass(frozen=True, eq=False)
class Connection:
    """A channel of one of the files."""

    channel: Channel
    owner: Storage
    # Profiles that metadata.yaml or the file has, as YAML or what was read of it.
    qos: object = ''

    @property
    def offered_qos(self) -> list[OfferedQos]:
        """Read the profiles."""
        return offered_qos(self.qos)

    @property
    def topic(self) -> str:
        """Name the topic."""
        return self.channel.topic

    @property
    def msgtype(self) -> str:
        """Name the type of its messages."""
        return self.channel.msgtype

    @property
    def msgcount(self) -> int:
        """Count its messages."""
        return self.channel.msgcount


@dataclass(frozen=True, eq=False)
class Topic:
    """What a bag has under one name; `msgtype` names several types as 'a and b'."""

    msgtype: str
    msgcount: int
    connections: tuple[Connection, ...]


class Recording:
    """
    Opened files, read as one.

    `problems` says what was left out, and grows as damage is met.
    """

    def __init__(
        self, path: Path, storages: list[Storage], qos: dict[str, object], problems: list[str]
    ) -> None:
        """Take the files in their order, the profiles by topic, and what is wrong already."""
        self.path = path
        self._storages = storages
        self._problems = problems
        self.connections: list[Connection] = []
        extent = Extent()
        for storage in storages:
            extent.take(storage.contents.extent.first_ns, storage.contents.extent.last_ns)
            for channel in storage.contents.channels:
                if why := _foreign(channel):
                    self._tell(f'{channel.topic} is left out: {why}')
                    continue
                offered = qos.get(channel.topic, channel.qos)
                self.connections.append(Connection(channel, storage, offered))
        # As ranges have it: the end is not among them. Without messages both are 0.
        self.start_time = extent.first_ns or 0
        self.end_time = 0 if extent.last_ns is None else extent.last_ns + 1
        self.message_count = sum(each.msgcount for each in self.connections)

    @property
    def problems(self) -> tuple[str, ...]:
        """Give them all, each once."""
        found = [*self._problems]
        for storage in self._storages:
            found += storage.contents.problems
        return tuple(dict.fromkeys(found))

    @cached_property
    def topics(self) -> dict[str, Topic]:
        """Give the topics by name."""
        found = {}
        ordered = sorted(self.connections, key=lambda each: each.topic)
        for name, group in groupby(ordered, key=lambda each: each.topic):
            connections = tuple(group)
            kinds = ' and '.join(sorted({each.msgtype for each in connections}))
            found[name] = Topic(kinds, sum(each.msgcount for each in connections), connections)
        return found

    def messages(
        self,
        connections: Collection[Connection],
        start_ns: int | None = None,
        stop_ns: int | None = None,
    ) -> Iterator[tuple[Connection, int, bytes]]:
        """Read the messages of these connections from start to before stop, in order of time."""
        start_ns = 0 if start_ns is None else start_ns
        stop_ns = END_OF_TIME if stop_ns is None else stop_ns
        parts = [
            self._messages_of(storage, wanted, start_ns, stop_ns)
            for storage in self._storages
            if (wanted := [each for each in connections if each.owner is storage])
        ]
        yield from heapq.merge(*parts, key=lambda message: message[1])

    def deserialize(self, cdr: bytes, msgtype: str):
        """Give the message; the library's parser raises nearly anything for damaged bytes."""
        return self._typestore.deserialize_cdr(cdr, msgtype)

    @cached_property
    def _typestore(self) -> Typestore:
        return bag_typestore([each.channel for each in self.connections], self._tell)

    def _messages_of(
        self, storage: Storage, connections: list[Connection], start_ns: int, stop_ns: int
    ) -> Iterator[tuple[Connection, int, bytes]]:
        """Read one file; damage ends it, and is named."""
        by_channel = {each.channel: each for each in connections}
        try:
            for channel, log_ns, data in storage.messages(by_channel, start_ns, stop_ns):
                yield by_channel[channel], log_ns, _plain(data)
        except Exception as error:  # noqa: BLE001 a damaged file raises nearly anything
            self._tell(f'{self.path} cannot be read beyond here, it is damaged: {error}')

    def _tell(self, text: str) -> None:
        if text not in self._problems:
            self._problems.append(text)


def _plain(data: bytes) -> bytes:
    """Decompress a message that is compressed by itself; no serialised one begins like that."""
    if not data.startswith(ZSTD_MAGIC):
        return data
    try:
        return decompress(data, 'zstd')
    except Exception:  # noqa: BLE001 damaged: as an empty message it is named where it is read
        return b''


def _foreign(channel: Channel) -> str:
    """Say why a channel holds no messages of ROS 2; '' where it does."""
    if channel.encoding != 'cdr':
        return f'its messages are {channel.encoding or "of no named encoding"}, not CDR of ROS 2'
    if not channel.msgtype:
        return 'it has no schema that says what its messages are'
    return ''
