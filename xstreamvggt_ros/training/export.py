# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights as they are shipped: half precision, with how they came about."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
import subprocess

import torch
from torch import Tensor

from xstreamvggt_ros.model import StreamVGGT


def export(model: StreamVGGT, path: Path, **notes: object) -> None:
    """Write model as fp16 safetensors; notes, the commit and the shape become its metadata."""
    from safetensors.torch import save_file

    state = {name: tensor.cpu().contiguous() for name, tensor in _written(model).items()}
    metadata = {name: json.dumps(value) for name, value in notes.items()}
    metadata['model'] = json.dumps(dataclasses.asdict(model.config))
    metadata['commit'] = commit()
    partial = path.with_suffix('.partial')
    save_file(state, partial, metadata)
    # It is made for its owner alone; what ships is for everybody.
    partial.chmod(0o644)
    partial.rename(path)


def as_exported(model: StreamVGGT) -> StreamVGGT:
    """Copy a model with the weights that `export` writes of it, so that those are scored."""
    copied = copy.deepcopy(model)
    copied.load_state_dict(_written(model))
    return copied


def _written(model: StreamVGGT) -> dict[str, Tensor]:
    state = {name: tensor.half() for name, tensor in model.state_dict().items()}
    overflown = [name for name, tensor in state.items() if not torch.isfinite(tensor).all()]
    if overflown:
        raise ValueError(f'weights do not fit half precision: {", ".join(overflown)}')
    return state


def commit() -> str:
    """Return the commit of the source tree, 'unknown' outside of one."""
    try:
        done = subprocess.run(
            ['git', 'rev-parse', 'HEAD'],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'
    return done.stdout.strip()
