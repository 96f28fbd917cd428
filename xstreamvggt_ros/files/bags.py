# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rosbags without ROS: opened with errors that help, written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, ExitStack
import os
from pathlib import Path
import re
import struct
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from xstreamvggt_ros.files.bag_metadata import BagMetadata, read_metadata
from xstreamvggt_ros.files.compression import decompress_file
from xstreamvggt_ros.files.errors import InputError, why
from xstreamvggt_ros.files.mcap_storage import McapStorage
from xstreamvggt_ros.files.recording import Recording
from xstreamvggt_ros.files.replacing import replacing
from xstreamvggt_ros.files.sqlite_storage import SqliteStorage
from xstreamvggt_ros.files.storage import Storage
from xstreamvggt_ros.files.typestores import typestore
from xstreamvggt_ros.geometry.stamps import NANOSECONDS

if TYPE_CHECKING:
    from rosbags.interfaces import Qos

STORAGES = {'.mcap': McapStorage, '.db3': SqliteStorage}
COMPRESSED_FILE = '.zstd'
# What rosbag2 calls the files of a split bag.
SPLIT = re.compile(r'(?P<bag>.+)_(?P<number>\d+)(?P<suffix>\.mcap|\.db3)(\.zstd)?')


def find_bag(path: Path) -> Path | None:
    """Give what to open as a rosbag2 at `path`, a folder or a file, or None if it is none."""
    if path.is_file():
        if path.suffix == '.bag':
            raise InputError(_of_ros_1(path))
        return path if _storage_kind(path) else None
    files = _bag_files(path)
    metadata = read_metadata(path)
    if metadata is not None and (files or metadata.files):
        return path
    if len(files) > 1 and len({_split_of(file) for file in files}) > 1:
        names = ', '.join(file.name for file in files)
        raise InputError(f'{path} holds several bags and no metadata.yaml; name one: {names}')
    if len(files) > 1:
        return path
    return files[0] if files else None


def ros_1_hint(folder: Path) -> str:
    """Say what to do with the bags of ROS 1 in a folder; '' where there are none."""
    return '; '.join(_of_ros_1(file) for file in sorted(folder.glob('*.bag'))[:1])


@contextmanager
def open_bag(path: Path) -> Iterator[Recording]:
    """
    Open a bag, all files of a folder as one; InputError where nothing of it can be read.

    What of it cannot be is among the recording's `problems`.
    """
    with ExitStack() as stack:
        problems: list[str] = []
        metadata = read_metadata(path) if path.is_dir() else None
        storages = []
        for file in _files(path, metadata, problems):
            try:
                storages.append(stack.enter_context(closing(_opened(file, stack))))
            except Exception as error:  # noqa: BLE001 a damaged file raises nearly anything
                problems.append(_explained(file, error))
        if not storages:
            raise InputError('; '.join(problems))
        recording = Recording(path, storages, metadata.qos if metadata else {}, problems)
        if metadata:
            _compare(recording, storages, metadata, problems)
        yield recording


def _files(path: Path, metadata: BagMetadata | None, problems: list[str]) -> list[Path]:
    """Give a bag's files: those that metadata.yaml names, and what else is of the same bag."""
    if path.is_file():
        return [path]
    there = _bag_files(path)
    if metadata is None:
        return there
    if metadata.problem:
        problems.append(f'{metadata.problem}; the files beside it are read')
        return there
    named = [path / name for name in metadata.files]
    for file in named:
        if file not in there:
            problems.append(f'{file} is named in metadata.yaml and is not there')
    found = [file for file in named if file in there]
    splits = {_split_of(file) for file in named}
    for file in there:
        if file not in found and (not found or _split_of(file) in splits):
            problems.append(f'{file} is read, though metadata.yaml does not name it')
            found.append(file)
    if not found:
        raise InputError('; '.join(problems) or f'{path} has metadata.yaml and no files of a bag')
    return found


def _bag_files(folder: Path) -> list[Path]:
    """List the files of bags in a folder, parts of one in their order."""
    files = [file for file in folder.iterdir() if _storage_kind(file)] if folder.is_dir() else []
    return sorted(files, key=lambda file: (_split_of(file), _number_of(file), file.name))


def _storage_kind(file: Path) -> type[Storage] | None:
    return STORAGES.get(Path(file.name.removesuffix(COMPRESSED_FILE)).suffix)


def _split_of(file: Path) -> str:
    """Name the bag that a file is a part of; its own name where it is none."""
    split = SPLIT.fullmatch(file.name)
    return split['bag'] + split['suffix'] if split else file.name


def _number_of(file: Path) -> int:
    split = SPLIT.fullmatch(file.name)
    return int(split['number']) if split else 0


def _opened(file: Path, stack: ExitStack) -> Storage:
    kind = _storage_kind(file)
    if file.suffix == COMPRESSED_FILE:
        plain = Path(stack.enter_context(TemporaryDirectory())) / file.stem
        decompress_file(file, plain)
        file = plain
    return kind(file)


def _explained(file: Path, error: Exception) -> str:
    """Say what a file is that cannot be opened, and what would help."""
    reason = why(file, error)
    if reason != str(error):
        return f'{file} is no bag: {reason}'
    hint = '`mcap doctor` tells more' if '.mcap' in file.suffixes else '`sqlite3 FILE .recover`'
    return f'{file} cannot be read as a bag: {reason}; {hint}'


def _of_ros_1(file: Path) -> str:
    return f'{file} is a ROS 1 bag; convert it: rosbags-convert --src {file} --dst <folder>'


def _compare(recording, storages: list[Storage], metadata: BagMetadata, problems) -> None:
    """Say what metadata.yaml promises and the files do not hold."""
    held = sum(each.msgcount for storage in storages for each in storage.contents.channels)
    if held < metadata.messages:
        problems.append(
            f'{recording.path}: metadata.yaml promises {metadata.messages} messages, the files '
            f'hold {held}; a file may be missing, or the recording was cut short'
        )


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
