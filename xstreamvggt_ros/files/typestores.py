# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Definitions of message types: those that the library knows, and those that a bag brings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from xstreamvggt_ros.files.storage import Channel

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

RULE = '=' * 80 + '\n'


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """Give the message definitions of the newest ROS 2 that the library knows."""
    from rosbags.typesys import get_typestore, Stores

    return get_typestore(Stores.LATEST)


def bag_typestore(channels: Iterable[Channel], tell: Callable[[str], None]) -> Typestore:
    """
    Give the definitions that a bag brings, before those that the library knows.

    A definition that cannot be read is told, and the library's taken where it has one.
    """
    from rosbags.typesys import get_typestore, Stores

    found = {}
    for channel in {(each.msgtype, each.definition): each for each in channels}.values():
        if not channel.definition:
            continue
        try:
            found.update(_parsed(channel))
        except Exception as error:  # noqa: BLE001 a parser of foreign text raises what it pleases
            tell(
                f'the definition of {channel.msgtype}, of {channel.topic}, cannot be read: '
                f'{str(error).splitlines()[0] if str(error) else type(error).__name__}'
            )
    if not found:
        return typestore()
    store = get_typestore(Stores.EMPTY)
    try:
        store.register({**typestore().fielddefs, **found})
    except Exception as error:  # noqa: BLE001 as above
        tell(f'its definitions do not fit together, those of ROS 2 are taken: {error}')
        return typestore()
    return store


def _parsed(channel: Channel) -> dict:
    from rosbags.typesys import get_types_from_idl, get_types_from_msg

    if channel.definition_kind == 'ros2msg':
        return get_types_from_msg(channel.definition, channel.msgtype)
    if channel.definition_kind not in ('ros2idl', 'omgidl'):
        raise ValueError(f'it is in {channel.definition_kind or "no named language"}')
    if not channel.definition.startswith(f'{RULE}IDL: '):
        return get_types_from_idl(channel.definition)
    found = {}
    for part in channel.definition.split(RULE)[1:]:
        found.update(get_types_from_idl(part.partition('\n')[2]))
    return found
