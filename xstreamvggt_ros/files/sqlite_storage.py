# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A .db3 of rosbag2, with what a recorder that was killed left beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from pathlib import Path
import shutil
import sqlite3
import struct
from tempfile import TemporaryDirectory

from xstreamvggt_ros.files.storage import Channel, Contents, Message

# What sqlite3 writes beside a database before it is part of it.
JOURNALS = ('-wal', '-journal')
NEEDED = {'topics', 'messages'}


class SqliteStorage:
    """
    One database.

    One with a journal is read from a copy, in which SQLite brings the two together: the input is
    never written to.
    """

    def __init__(self, path: Path) -> None:
        """Open it; whatever SQLite raises for a damaged one."""
        self._stack = ExitStack()
        self._path = path
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise

    def messages(
        self, channels: Collection[Channel], start_ns: int, stop_ns: int
    ) -> Iterator[Message]:
        """Read messages in order of time."""
        by_number = {channel.number: channel for channel in channels}
        marks = ', '.join('?' * len(by_number))
        query = (
            f'SELECT topic_id, timestamp, data FROM messages WHERE topic_id IN ({marks}) '
            'AND timestamp >= ? AND timestamp < ? ORDER BY timestamp, id'
        )
        for number, stamp, data in self._connection.execute(
            query, (*by_number, start_ns, stop_ns)
        ):
            # A column of SQLite holds whatever was put into it.
            yield by_number[number], int(stamp), data if isinstance(data, bytes) else b''

    def close(self) -> None:
        """Close it."""
        self._stack.close()

    def _open(self) -> None:
        path = self._path
        journals = [Path(f'{path}{each}') for each in JOURNALS]
        journals = [each for each in journals if each.is_file() and each.stat().st_size]
        mode = 'mode=ro&immutable=1'
        if journals:
            folder = Path(self._stack.enter_context(TemporaryDirectory()))
            for each in (path, *journals):
                shutil.copyfile(each, folder / each.name)
            path, mode = folder / path.name, 'mode=rw'
        self._connection = sqlite3.connect(
            f'{path.absolute().as_uri()}?{mode}', uri=True, check_same_thread=False
        )
        self._stack.callback(self._connection.close)
        self.contents = self._contents()
        self._mind_length(path)

    def _contents(self) -> Contents:
        tables = {
            name for (name,) in self._ask("SELECT name FROM sqlite_master WHERE type='table'")
        }
        if not NEEDED <= tables:
            raise ValueError(
                f'it is a database without the tables {", ".join(sorted(NEEDED - tables))}: '
                'no bag of ROS 2'
            )
        counts = dict(self._ask('SELECT topic_id, COUNT(*) FROM messages GROUP BY topic_id'))
        definitions = {}
        if 'message_definitions' in tables:
            rows = self._ask(
                'SELECT topic_type, encoding, encoded_message_definition FROM message_definitions'
            )
            definitions = {
                kind: (text, language) for kind, language, text in rows if _texts(language, text)
            }
        columns = {row[1] for row in self._ask('PRAGMA table_info(topics)')}
        qos = 'offered_qos_profiles' if 'offered_qos_profiles' in columns else "''"
        contents = Contents()
        rows = self._ask(f'SELECT id, name, type, serialization_format, {qos} FROM topics')
        for number, topic, kind, encoding, profiles in rows:
            # A column of SQLite holds whatever was put into it.
            if not _texts(topic, kind, encoding):
                contents.problems.append(
                    f'{self._path}: topic {number!r:.40} is left out: its name, type or format of '
                    'serialisation is no text'
                )
                continue
            count = counts.get(number, 0)
            known = definitions.get(kind, ('', ''))
            profiles = profiles if _texts(profiles) else ''
            contents.channels.append(
                Channel(number, topic, kind, count, encoding, *known, profiles)
            )
        # Text, which a column of numbers may hold too, would be the greatest of all.
        ((first, last),) = self._ask(
            'SELECT MIN(timestamp), MAX(timestamp) FROM messages '
            "WHERE typeof(timestamp) = 'integer'"
        )
        contents.extent.take(first, last)
        return contents

    def _mind_length(self, path: Path) -> None:
        """Say where the file ends before its pages do: SQLite leaves them out without a word."""
        with path.open('rb') as file:
            size, pages = struct.unpack('>16xH10xI', file.read(32))
        size = 65536 if size == 1 else size
        if size * pages > path.stat().st_size:
            self.contents.problems.append(
                f'{self._path} is cut short: {path.stat().st_size} of {size * pages} bytes are '
                'there, messages are missing'
            )

    def _ask(self, query: str) -> list[tuple]:
        return self._connection.execute(query).fetchall()


def _texts(*values: object) -> bool:
    return all(isinstance(each, str) for each in values)
