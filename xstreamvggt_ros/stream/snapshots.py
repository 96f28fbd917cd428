# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream's memory as a safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
import os
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from xstreamvggt_ros.cache.rows import entry
from xstreamvggt_ros.files.answering import check_regular
from xstreamvggt_ros.files.replacing import replacing
from xstreamvggt_ros.stream.contract import Resumable
from xstreamvggt_ros.stream.image_checks import check_patches


def save_snapshot(path: str | os.PathLike, stream: Resumable) -> Path:
    """
    Save a stream's memory and return the file, which is in the home where `path` begins with `~`.

    OSError from the disk.
    """
    state = {name: values.contiguous() for name, values in stream.state_dict().items()}
    # Not by pathlib, which raises where there is no such user.
    file = Path(os.path.expanduser(path))
    with replacing(file) as temporary:
        try:
            save_file(state, temporary)
        except SafetensorError as error:
            # It has no other for a full disk.
            raise OSError(f'{file} cannot be written: {error}') from error
    return file


def read_snapshot(path: str | os.PathLike) -> dict[str, Tensor]:
    """
    Read what `save_snapshot` wrote; ValueError names a file that is none, OSError from disk.

    The tensors lie in the file, of whatever size it says, and only who knows what they have to be
    may look into them: `load_state_dict` does.
    """
    file = os.path.expanduser(path)
    try:
        check_regular(file)
    except ValueError as error:
        raise ValueError(f'{error}; name one that ~/save wrote') from error
    try:
        return load_file(file)
    # Torch raises RuntimeError for a file beyond what can be mapped.
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(f'{path} is no snapshot of a stream: {error}') from error


def saved_size(state: Mapping[str, Tensor]) -> tuple[int, int]:
    """Return height and width of a saved stream's images, 0 before the first; or ValueError."""
    height, width = entry(state, 'image_size', (2,)).tolist()
    if height or width:
        check_patches(height, width)
    return height, width
