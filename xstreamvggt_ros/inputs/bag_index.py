# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the messages of a bag are, so that each can be read again on its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from threading import Lock
import weakref

from xstreamvggt_ros.files.bags import open_bag, stamp_of
from xstreamvggt_ros.inputs.problems import Problems


@dataclass(frozen=True)
class Place:
    """A message: its stamp, and its topic, time of recording and number among those of both."""

    stamp_ns: int
    topic: str
    log_ns: int
    ordinal: int


class BagFile:
    """A bag that stays open as long as somebody holds it."""

    def __init__(self, path: Path) -> None:
        """Open it; InputError where that fails."""
        stack = ExitStack()
        self.path = path
        self.reader = stack.enter_context(open_bag(path))
        # Images are read ahead by a thread of their own.
        self._lock = Lock()
        weakref.finalize(self, stack.close)

    def walk(self, topics: set[str], problems: Problems) -> Iterator[tuple[str, Place, bytes]]:
        """Read type, place and serialised message once through; what is wrong is named."""
        connections = [each for each in self.reader.connections if each.topic in topics]
        counts: Counter[tuple[str, int]] = Counter()
        for connection, log_ns, cdr in self.reader.messages(connections):
            key = connection.topic, log_ns
            ordinal = counts[key]
            counts[key] += 1
            # A header without a stamp is dated by its recording.
            stamp = (stamp_of(cdr) if len(cdr) >= 12 else 0) or log_ns
            yield connection.msgtype, Place(stamp, connection.topic, log_ns, ordinal), cdr
        for problem in self.reader.problems:
            problems.add(problem)
        promised, read = Counter(), Counter()
        for connection in connections:
            promised[connection.topic] += connection.msgcount
        for (topic, _), count in counts.items():
            read[topic] += count
        for topic, count in promised.items():
            if read[topic] < count:
                problems.add(f'{topic}: {read[topic]} of {count} messages could be read')

    def message(self, place: Place):
        """Read one message; whatever the parser of damaged bytes raises, ValueError if gone."""
        connections = [each for each in self.reader.connections if each.topic == place.topic]
        with self._lock:
            found = self.reader.messages(connections, place.log_ns, place.log_ns + 1)
            for connection, _, cdr in islice(found, place.ordinal, None):
                return self.reader.deserialize(cdr, connection.msgtype)
        raise ValueError('it is not in the bag any more')
