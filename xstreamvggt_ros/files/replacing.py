# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or not there."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import tempfile

from xstreamvggt_ros.files.unfinished import unfinished

# That tempfile puts behind the prefix.
RANDOM_LETTERS = 8


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """
    Give a path to write to; on leaving, what stands there becomes `path` in one step.

    The temporary path has the same name, in a folder of its own beside `path`, so that the
    rename stays on one file system and a writer that looks at the suffix is content. A reader
    sees the old file or the new one, never half of one; after an exception the old one stays.
    Both are on the disk on leaving. What a writer of `path` that was killed left behind is
    removed. Raises OSError where something else than a file stands there.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise FileExistsError(f'{path} is there and is no file; name another')
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f'.{path.name}.'
    with unfinished(
        path.parent,
        lambda: Path(tempfile.mkdtemp(prefix=prefix, dir=path.parent)),
        lambda name: name.startswith(prefix) and len(name) == len(prefix) + RANDOM_LETTERS,
    ) as folder:
        yield folder / path.name
        sync(folder / path.name)
        os.replace(folder / path.name, path)
        sync(path.parent)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
