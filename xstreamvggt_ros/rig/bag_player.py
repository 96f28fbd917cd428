# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Publish a bag's messages as they were serialised, in the rhythm in which they were recorded."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
import math
from pathlib import Path

from rclpy.publisher import Publisher

from xstreamvggt_ros.files.bags import find_bag, open_bag, ros_1_hint
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.files.recording import Recording
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.rig.clock import BagClock, CLOCK_TOPIC
from xstreamvggt_ros.rig.delivery import await_subscriber
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.player import Cue, Player
from xstreamvggt_ros.rig.topics import choose_topics, PlayedTopic

# Somebody always listens to these; they are not what a bag is played for.
SIDE_TOPICS = ('/tf', '/tf_static', '/rosout', '/parameter_events', '/diagnostics')
# A listener's other subscriptions are found with its first, or this many seconds later.
SETTLE_S = 0.5


@dataclass(frozen=True)
class PlayOptions:
    """
    Say how to play.

    `rate` is seconds of the bag a second. `clock_hz` publishes /clock that often a second, 0 with
    every message, None not at all. `topics` are all where empty. `start_s` and `duration_s` are
    seconds of the bag. `patience_s` bounds the wait for somebody who listens.
    """

    rate: float = 1.0
    loop: bool = False
    clock_hz: float | None = None
    topics: tuple[str, ...] = ()
    start_s: float = 0.0
    duration_s: float = math.inf
    patience_s: float = 10.0


def play_bag(
    link: Link, path: Path, options: PlayOptions, tell: Callable[[str], None] = lambda text: None
) -> int:
    """
    Play a rosbag2, MCAP or sqlite3, compressed or not; give how many messages were sent.

    `tell` takes lines for the user. Raises InputError where there is nothing to play.
    """
    found = find_bag(path)
    if found is None:
        raise InputError(
            ros_1_hint(path)
            or f'{path} is no rosbag2: a folder with metadata.yaml, an .mcap or a .db3'
        )
    with open_bag(found) as reader:
        if not reader.message_count:
            raise InputError(
                f'{path} holds no messages; {"; ".join(reader.problems)}'.rstrip('; ')
            )
        own_clock = () if options.clock_hz is None else (CLOCK_TOPIC,)
        topics, left_out = choose_topics(reader.connections, options.topics, own_clock)
        for name, why in left_out.items():
            tell(f'left out: {name}: {why}')
        playback = _Playback(link, reader, topics, options)
        tell(f'{path}: {", ".join(topic.name for topic in topics)}')
        playback.await_listeners(tell)
        sent = playback.play(tell)
        for problem in reader.problems:
            tell(problem)
        return sent


class _Playback:
    """One bag, its publishers and its clock."""

    def __init__(
        self, link: Link, reader: Recording, topics: list[PlayedTopic], options: PlayOptions
    ):
        self._link = link
        self._reader = reader
        self._topics = topics
        self._options = options
        self._clock = BagClock(link, options.clock_hz, options.rate)
        self._publishers: dict[str, Publisher] = {
            topic.name: link.node.create_publisher(topic.message_type, topic.name, topic.qos)
            for topic in topics
        }
        self._start_ns = reader.start_time + round(options.start_s * NANOSECONDS)
        end_ns = self._start_ns + options.duration_s * NANOSECONDS
        self._stop_ns = round(min(end_ns, reader.end_time))

    def await_listeners(self, tell: Callable[[str], None]) -> None:
        """Wait for somebody who listens to what the bag is played for, and say so."""
        awaited = {n: p for n, p in self._publishers.items() if n not in SIDE_TOPICS}
        awaited = awaited or self._publishers
        patience = self._options.patience_s
        if not patience:
            return
        if not await_subscriber(self._link, awaited.values(), 0.0):
            names = ', '.join(awaited)
            tell(f'waiting up to {patience:g} s for a subscriber to one of: {names}')
            if not await_subscriber(self._link, awaited.values(), patience):
                tell(
                    f'nobody has subscribed within {patience:g} s; playing all the same. '
                    'A lifecycle node listens only while it is active: activate it, or start '
                    'reconstruction_node with --autostart'
                )
        self._link.spin_for(SETTLE_S)

    def play(self, tell: Callable[[str], None]) -> int:
        """Play once, or over and over; give how many messages were sent."""
        player = Player(self._link, self._publishers, self._clock)
        sent = player.play(
            self._cues, self._start_ns, self._options.loop, lambda: tell('from the beginning')
        )
        if not sent:
            raise InputError(
                f'no messages from {self._options.start_s:g} s on; the bag has '
                f'{(self._reader.end_time - self._reader.start_time) / NANOSECONDS:.1f} s'
            )
        return sent

    def _cues(self) -> Iterator[Cue]:
        messages = self._messages(self._topics, self._start_ns, self._stop_ns)
        for index, (topic, bag_ns, cdr) in enumerate(messages):
            # Not where nothing comes after them.
            for before in () if index else self._latched_before():
                yield Cue(self._start_ns, (before,))
            yield Cue(bag_ns, ((topic, cdr),))

    def _latched_before(self) -> Iterator[tuple[str, bytes]]:
        """Give what a late listener would have got at the start: static transforms, above all."""
        latched = [topic for topic in self._topics if topic.latched]
        if not latched or self._start_ns <= self._reader.start_time:
            return
        held = {topic.name: deque(maxlen=topic.qos.depth) for topic in latched}
        for name, _, cdr in self._messages(latched, self._reader.start_time, self._start_ns):
            held[name].append(cdr)
        for name, messages in held.items():
            for cdr in messages:
                yield name, cdr

    def _messages(
        self, topics: list[PlayedTopic], start_ns: int, stop_ns: int
    ) -> Iterator[tuple[str, int, bytes]]:
        """Read topic, time of recording and serialised message, in the order of recording."""
        connections = [each for topic in topics for each in topic.connections]
        for connection, bag_ns, cdr in self._reader.messages(connections, start_ns, stop_ns):
            yield connection.topic, bag_ns, cdr
