# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream's memory as a safetensors file."""

from __future__ import annotations

import os
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from xstreamvggt_ros.files.replacing import replacing
from xstreamvggt_ros.stream.contract import Resumable


def save_snapshot(path: str | os.PathLike, stream: Resumable) -> Path:
    """
    Save a stream's memory and return the file, which is in the home where `path` begins with `~`.

    OSError from the disk.
    """
    state = {name: values.contiguous() for name, values in stream.state_dict().items()}
    # Not by pathlib, which raises where there is no such user.
    file = Path(os.path.expanduser(path))
    with replacing(file) as temporary:
        save_file(state, temporary)
    return file


def read_snapshot(path: str | os.PathLike) -> dict[str, Tensor]:
    """Read what `save_snapshot` wrote; ValueError names a file that is none, OSError from disk."""
    try:
        return load_file(os.path.expanduser(path))
    except SafetensorError as error:
        raise ValueError(f'{path} is no snapshot of a stream: {error}') from error
