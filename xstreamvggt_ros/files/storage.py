# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every storage of a bag gives: channels, and messages by channel and time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, eq=False)
class Channel:
    """
    A topic of one file, with messages of one type.

    encoding: of the messages, 'cdr' for ROS 2. definition: of the type, in the language
    `definition_kind` ('ros2msg', 'ros2idl', '' for none). qos: the profiles that were offered,
    YAML.
    """

    number: int
    topic: str
    msgtype: str
    msgcount: int
    encoding: str = 'cdr'
    definition: str = ''
    definition_kind: str = ''
    qos: str = ''


# A channel, the time of recording in nanoseconds, and the serialised message.
Message = tuple[Channel, int, bytes]


@dataclass
class Extent:
    """The times that messages were recorded at, nanoseconds, both ends inclusive."""

    first_ns: int | None = None
    last_ns: int | None = None

    def take(self, first_ns: int | None, last_ns: int | None) -> None:
        """Widen it to what another has."""
        known = [each for each in (self.first_ns, first_ns) if each is not None]
        self.first_ns = min(known, default=None)
        known = [each for each in (self.last_ns, last_ns) if each is not None]
        self.last_ns = max(known, default=None)


@dataclass
class Contents:
    """What a file holds, and what is wrong with it, in sentences."""

    channels: list[Channel] = field(default_factory=list)
    extent: Extent = field(default_factory=Extent)
    problems: list[str] = field(default_factory=list)


class Storage(Protocol):
    """One opened file."""

    contents: Contents

    def messages(
        self, channels: Collection[Channel], start_ns: int, stop_ns: int
    ) -> Iterator[Message]:
        """Read the messages of these channels from start to before stop, in order of time."""

    def close(self) -> None:
        """Let go of the file."""
