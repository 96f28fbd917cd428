# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Folders in which something is being written, told from those that a killed process left behind.

Whoever writes into one holds a lock on it (flock), which the kernel takes away at the process's
end, whatever that end is.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import fcntl
import os
from pathlib import Path
import shutil
import time

# Seconds to wait for another that takes a new folder for one of the dead, and lets go of it.
PATIENCE_S = 2.0
POLL_S = 0.005


def remove(folder: Path) -> None:
    """Remove a folder, as far as that goes."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def unfinished(
    parent: Path,
    make: Callable[[], Path],
    alike: Callable[[str], bool],
    mend: Callable[[Path], None] = remove,
) -> Iterator[Path]:
    """
    Give the folder that `make` makes in `parent`; on leaving it is removed with what it holds.

    Before that, `mend` gets the folders whose names are `alike` and whose writers have died. On a
    file system without such locks nothing is mended. OSError is that of `make`.
    """
    with os.scandir(parent) as entries:
        names = sorted(each.name for each in entries if alike(each.name))
    for name in names:
        _mend(parent / name, mend)
    folder, descriptor = _own(make)
    try:
        yield folder
    finally:
        remove(folder)
        if descriptor is not None:
            os.close(descriptor)


def _mend(folder: Path, mend: Callable[[Path], None]) -> None:
    descriptor = _open(folder)
    if descriptor is None:
        return
    try:
        if _lock(descriptor, 0.0) and _is(folder, descriptor):
            mend(folder)
    finally:
        os.close(descriptor)


def _own(make: Callable[[], Path]) -> tuple[Path, int | None]:
    """Make a folder and lock it, once more where somebody has removed it in between."""
    while True:
        folder = make()
        descriptor = _open(folder)
        if descriptor is not None:
            _lock(descriptor, PATIENCE_S)
            if _is(folder, descriptor):
                return folder, descriptor
            os.close(descriptor)
        elif folder.exists():
            return folder, None


def _open(folder: Path) -> int | None:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None


def _is(folder: Path, descriptor: int) -> bool:
    """Whether what was opened has not been removed."""
    try:
        return os.path.samestat(os.stat(folder), os.fstat(descriptor))
    except OSError:
        return False


def _lock(descriptor: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                return False
            time.sleep(POLL_S)
        except OSError:
            # A network's file system may have none.
            return False
        else:
            return True
