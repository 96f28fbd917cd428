# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream's memory as a safetensors file."""

from __future__ import annotations

import os
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
import torch
from torch import Tensor

from xstreamvggt_ros.files.answering import check_regular
from xstreamvggt_ros.files.replacing import replacing
from xstreamvggt_ros.stream.contract import Resumable

# Frames that no stream has: those of a thousand years at thirty a second.
MOST = 1 << 40


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

    Whatever would be carried on into every frame is refused: numbers that are not finite, and
    counts that no stream reaches.
    """
    file = os.path.expanduser(path)
    try:
        check_regular(file)
    except ValueError as error:
        raise ValueError(f'{error}; name one that ~/save wrote') from error
    try:
        state = load_file(file)
    except SafetensorError as error:
        raise ValueError(f'{path} is no snapshot of a stream: {error}') from error
    for name, values in state.items():
        problem = _problem(values)
        if problem:
            raise ValueError(f'{path} is a damaged snapshot: {name} {problem}; take another')
    return state


def _problem(values: Tensor) -> str:
    """Say what is wrong with numbers of a snapshot, '' if nothing is."""
    if values.is_floating_point():
        return '' if bool(torch.isfinite(values).all()) else 'has numbers that are not finite'
    if values.dtype in (torch.int32, torch.int64) and values.numel():
        low, high = int(values.min()), int(values.max())
        if low < -1 or high > MOST:
            return f'has numbers from {low} to {high}, where there are counts'
    return ''
