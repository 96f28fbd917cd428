# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbags without ROS: opened with errors that help, written whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager, ExitStack
from functools import lru_cache
import os
from pathlib import Path
import struct
from typing import TYPE_CHECKING

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.files.replacing import replacing
from xstreamvggt_ros.geometry.stamps import NANOSECONDS

if TYPE_CHECKING:
    from rosbags.highlevel import AnyReader
    from rosbags.interfaces import Qos
    from rosbags.rosbag2 import Reader
    from rosbags.typesys.store import Typestore

BAG_SUFFIXES = ('.mcap', '.db3')


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """Give the message definitions of the newest ROS 2 that the library knows."""
    from rosbags.typesys import get_typestore, Stores

    return get_typestore(Stores.LATEST)


def find_bag(path: Path) -> Path | None:
    """Give what to open as a rosbag2 at `path`, a folder or a file, or None if it is none."""
    if path.is_file():
        if path.suffix == '.bag':
            convert = f'rosbags-convert --src {path} --dst <folder>'
            raise InputError(f'{path} is a ROS 1 bag; convert it: {convert}')
        return path if path.suffix in BAG_SUFFIXES else None
    if (path / 'metadata.yaml').exists():
        return path
    files = sorted(file for suffix in BAG_SUFFIXES for file in path.glob(f'*{suffix}'))
    if len(files) > 1:
        names = ', '.join(file.name for file in files)
        raise InputError(f'{path} holds several bags and no metadata.yaml; name one: {names}')
    return files[0] if files else None


@contextmanager
def open_bag(path: Path):
    """Open a bag for reading (`AnyReader`); what is wrong with it raises InputError."""
    from rosbags.highlevel import AnyReader

    with _opened(path, lambda: AnyReader([path], default_typestore=typestore())) as reader:
        yield reader


@contextmanager
def open_recording(path: Path):
    """
    Open a bag for its serialised messages (`rosbags.rosbag2.Reader`); InputError as `open_bag`.

    The definitions of its message types are not looked at, so that they need not be known.
    """
    from rosbags.rosbag2 import Reader

    with _opened(path, lambda: Reader(path)) as reader:
        yield reader


@contextmanager
def _opened(path: Path, make: Callable[[], AnyReader | Reader]):
    with ExitStack() as stack:
        try:
            reader = stack.enter_context(make())
        except Exception as error:  # a damaged file raises nearly anything out of its parser
            raise InputError(
                f'{path} cannot be read as a bag: {error}. If its recording was cut short: '
                f'`mcap recover` for .mcap, `ros2 bag reindex` for a folder'
            ) from error
        yield reader


def stamp_of(cdr: bytes | memoryview, offset: int = 0) -> int:
    """
    Read the stamp of a serialised message whose first field is a std_msgs/Header.

    Nanoseconds. `offset` skips fields before the stamp, such as the length of TFMessage's list.
    """
    # CDR: four bytes of encapsulation, the second says little-endian; then int32, uint32.
    order = '<' if cdr[1] & 1 else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', cdr, 4 + offset)
    return seconds * NANOSECONDS + nanoseconds


def frame_id_of(cdr: bytes | memoryview) -> str:
    """Read the frame_id of the same header; '' of a message that is cut."""
    if len(cdr) < 16:
        return ''
    (length,) = struct.unpack_from('<I' if cdr[1] & 1 else '>I', cdr, 12)
    # The length counts a closing zero.
    return bytes(cdr[16 : 16 + max(length, 1) - 1]).decode('utf-8', 'replace')


class BagWriter:
    """
    Write an MCAP bag of one file, which appears at `path` on `close` and not before.

    `ros2 bag info`, `ros2 bag play` and Foxglove open the single file. Messages are written as
    they come; about a megabyte is held in memory.
    """

    def __init__(self, path: str | os.PathLike):
        """Start a bag beside `path`."""
        from rosbags.rosbag2 import StoragePlugin, Writer

        self.path = Path(path)
        self._stack = ExitStack()
        self._connections = {}
        self._types = {}
        temporary = self._stack.enter_context(replacing(self.path))
        # The library writes a folder `x` with `x/x.mcap` in it; the file is all that is kept.
        folder = temporary.parent / 'bag'
        self._stack.callback(lambda: os.replace(folder / 'bag.mcap', temporary))
        self._writer = self._stack.enter_context(
            Writer(folder, version=9, storage_plugin=StoragePlugin.MCAP)
        )

    def add_topic(self, topic: str, message_type: str, latched: bool = False) -> None:
        """Declare a topic; a latched one is offered transient local when the bag is played."""
        self._types[topic] = message_type
        self._connections[topic] = self._writer.add_connection(
            topic,
            message_type,
            typestore=typestore(),
            offered_qos_profiles=[_qos(latched)],
        )

    def write(self, topic: str, cdr: bytes, log_ns: int) -> None:
        """Write one serialised message."""
        self._writer.write(self._connections[topic], log_ns, cdr)

    def write_message(self, topic: str, message: object, log_ns: int) -> None:
        """Serialise and write a message built from `typestore().types`."""
        self.write(topic, typestore().serialize_cdr(message, self._types[topic]), log_ns)

    def close(self) -> None:
        """Finish the bag and put it at `path`."""
        self._stack.close()

    def __enter__(self) -> BagWriter:
        return self

    def __exit__(self, *exception) -> bool | None:
        return self._stack.__exit__(*exception)


def _qos(latched: bool) -> Qos:
    from rosbags.interfaces import (
        Qos,
        QosDurability,
        QosHistory,
        QosLiveliness,
        QosReliability,
        QosTime,
    )

    forever = QosTime(9223372036, 854775807)  # rmw's infinite duration
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=1 if latched else 10,
        reliability=QosReliability.RELIABLE,
        durability=QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE,
        deadline=forever,
        lifespan=forever,
        liveliness=QosLiveliness.AUTOMATIC,
        liveliness_lease_duration=forever,
        avoid_ros_namespace_conventions=False,
    )
