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
    kinds = {}
    for each in channels:
        if each.definition:
            kinds.setdefault((each.msgtype, each.definition_kind, each.definition), each.topic)
    store, told = _registered(tuple((*kind, topic) for kind, topic in sorted(kinds.items())))
    for text in told:
        tell(text)
    return store


@lru_cache(maxsize=8)
def _registered(kinds: tuple[tuple[str, str, str, str], ...]) -> tuple[Typestore, list[str]]:
    """Read (type, language, definition, topic); give the store and what is wrong with some."""
    from rosbags.typesys import get_typestore, Stores

    found, told = {}, []
    for msgtype, language, definition, topic in kinds:
        try:
            found.update(_parsed(msgtype, language, definition))
        except Exception as error:  # noqa: BLE001 a parser of foreign text raises what it pleases
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            told.append(f'the definition of {msgtype}, of {topic}, cannot be read: {reason}')
    if not found:
        return typestore(), told
    store = get_typestore(Stores.EMPTY)
    try:
        store.register({**typestore().fielddefs, **found})
    except Exception as error:  # noqa: BLE001 as above
        told.append(f'its definitions do not fit together, those of ROS 2 are taken: {error}')
        return typestore(), told
    return store, told


def _parsed(msgtype: str, language: str, definition: str) -> dict:
    from rosbags.typesys import get_types_from_idl, get_types_from_msg

    if language == 'ros2msg':
        return get_types_from_msg(definition, msgtype)
    if language not in ('ros2idl', 'omgidl'):
        raise ValueError(f'it is in {language or "no named language"}')
    if not definition.startswith(f'{RULE}IDL: '):
        return get_types_from_idl(definition)
    found = {}
    for part in definition.split(RULE)[1:]:
        found.update(get_types_from_idl(part.partition('\n')[2]))
    return found
