# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a file."""

from pathlib import Path

LFS_POINTER = b'version https://git-lfs.github.com'


class InputError(ValueError):
    """An input cannot be read; the message names it and says what to do."""


def why(file: Path, error: object) -> str:
    """Say why a file cannot be read: what it is in truth, where that is known, else the error."""
    try:
        with file.open('rb') as opened:
            begin = opened.read(len(LFS_POINTER))
    except (OSError, ValueError):  # a name that a damaged list gives may be none
        return str(error)
    if begin == LFS_POINTER:
        return 'it is a pointer of Git LFS, not the file; fetch it with `git lfs pull`'
    return str(error) if begin else 'it is empty'
