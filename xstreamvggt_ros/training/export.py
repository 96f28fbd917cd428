# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights as they are shipped: half precision, with how they came about."""

from __future__ import annotations

import copy
import dataclasses
import json
from pathlib import Path
import subprocess

from xstreamvggt_ros.model import StreamVGGT


class Export:
    """
    Weights as a file holds them: in half precision, rounded once for the scores and the file.

    model: a copy that has those weights, in the precision of the original, to be scored.
    """

    def __init__(self, model: StreamVGGT) -> None:
        """
        Round the weights of a model, which is left as it is.

        ValueError, naming them, where weights are not finite in half precision: beyond 65504, or
        not finite before.
        """
        self._state = {name: tensor.half() for name, tensor in model.state_dict().items()}
        overflown = [name for name, each in self._state.items() if not each.isfinite().all()]
        if overflown:
            raise ValueError(f'weights do not fit half precision: {", ".join(overflown)}')
        self.model = copy.deepcopy(model)
        self.model.load_state_dict(self._state)

    def write(self, path: Path, **notes: object) -> None:
        """Write safetensors; notes, the commit and the shape become its metadata."""
        from safetensors.torch import save_file

        state = {name: tensor.cpu().contiguous() for name, tensor in self._state.items()}
        metadata = {name: json.dumps(value) for name, value in notes.items()}
        metadata['model'] = json.dumps(dataclasses.asdict(self.model.config))
        metadata['commit'] = commit()
        partial = path.with_suffix('.partial')
        save_file(state, partial, metadata)
        # It is made for its owner alone; what ships is for everybody.
        partial.chmod(0o644)
        partial.rename(path)


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
