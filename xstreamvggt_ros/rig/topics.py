# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics of a bag can be published here, and with which quality of service."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import groupby

from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.type_support import check_for_type_support

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.files.offered_qos import OfferedQos
from xstreamvggt_ros.files.recording import Connection

DEFAULT_DEPTH = 10
MAX_DEPTH = 1000
STATIC_TRANSFORMS = 'tf_static'


@dataclass(frozen=True, eq=False)
class PlayedTopic:
    """Hold what a publisher is made from, and where its messages are in the bag."""

    name: str
    message_type: type
    qos: QoSProfile
    connections: tuple[Connection, ...]

    @property
    def latched(self) -> bool:
        """Tell whether who comes late gets the last messages too."""
        return self.qos.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL


def choose_topics(
    connections: Collection[Connection], wanted: Collection[str] = (), without: Sequence[str] = ()
) -> tuple[list[PlayedTopic], dict[str, str]]:
    """
    Choose the topics to play, all or those `wanted`, never those `without`.

    Gives them and, by name, why others are left out: their type is not installed here. Raises
    InputError for a wanted topic that the bag has not, and where nothing is left to play.
    """
    names = {each.topic for each in connections}
    if unknown := sorted(set(wanted) - names):
        raise InputError(
            f'the bag has no topic {", ".join(unknown)}; it has: {", ".join(sorted(names))}'
        )
    played, left_out = [], {}
    by_topic = sorted(connections, key=lambda each: each.topic)
    for name, group in groupby(by_topic, key=lambda each: each.topic):
        if name in without or (wanted and name not in wanted):
            continue
        found = tuple(group)
        try:
            kind = _message_type(found)
        except TypeError as error:
            left_out[name] = str(error)
            continue
        played.append(PlayedTopic(name, kind, _quality(name, found), found))
    if not played:
        reasons = '; '.join(f'{name}: {why}' for name, why in left_out.items())
        raise InputError(f'nothing in the bag can be played: {reasons or "it has no such topics"}')
    return played, left_out


def _message_type(connections: tuple[Connection, ...]) -> type:
    """Import the type of a topic's messages; TypeError says why it cannot be published."""
    kinds = sorted({each.msgtype for each in connections})
    if len(kinds) > 1:
        raise TypeError(f'recorded with several types: {", ".join(kinds)}')
    package, _, rest = kinds[0].partition('/')
    folder, _, name = rest.rpartition('/')
    if folder not in ('', 'msg'):
        raise TypeError(f'{kinds[0]} belongs to a service or an action, which cannot be played')
    try:
        kind = getattr(import_module(f'{package}.msg'), name)
        check_for_type_support(kind)
    except Exception as error:  # a package built for another ROS raises nearly anything
        raise TypeError(
            f'{kinds[0]} cannot be imported ({error}); install or source the package {package}'
        ) from error
    return kind


def _quality(name: str, connections: tuple[Connection, ...]) -> QoSProfile:
    """
    Offer what was offered when it was recorded: reliability, durability, depth; else reliable.

    Deadline, lifespan and liveliness are promises of the recorded publishers that a player,
    which may be paused or slowed down, does not make.
    """
    profiles = [qos for each in connections for qos in each.offered_qos]
    best_effort = bool(profiles) and all(qos.best_effort for qos in profiles)
    static = name.rpartition('/')[2] == STATIC_TRANSFORMS
    latched = static or any(qos.transient_local for qos in profiles)
    # One publisher stands for all that were recorded; each of them held `depth` messages.
    depth = sum(_depth(qos) for qos in profiles)
    if static:
        # A bag does not know how deep its publishers were, and no transform may be missing.
        depth = max(depth, sum(each.msgcount for each in connections))
    return QoSProfile(
        depth=min(max(depth, 1 if latched else DEFAULT_DEPTH), MAX_DEPTH),
        reliability=QoSReliabilityPolicy.BEST_EFFORT
        if best_effort
        else QoSReliabilityPolicy.RELIABLE,
        durability=QoSDurabilityPolicy.TRANSIENT_LOCAL
        if latched
        else QoSDurabilityPolicy.VOLATILE,
    )


def _depth(qos: OfferedQos) -> int:
    return MAX_DEPTH if qos.keep_all else max(qos.depth, 1)
