# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One writer of a folder of runs at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
import fcntl
from pathlib import Path

LOCK = '.lock'


class FolderBusy(RuntimeError):
    """Another process writes to the same folder."""


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Let nobody else write records here meanwhile; the lock goes with the process."""
    with (folder / LOCK).open('w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderBusy(
                f'another `evaluate run` or `score` writes to {folder}; wait for its end, or '
                'have this run write to another --output'
            ) from error
        yield
