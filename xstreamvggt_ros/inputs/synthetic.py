# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The project's own held-out sequences, rendered where they are needed: `synthetic:<seed>`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
import hashlib
import re
from typing import TYPE_CHECKING

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.geometry import invert_rigid
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.reading import known_depth
from xstreamvggt_ros.inputs.sequence import FrameTruth, SequenceFrame, stamp_at, TOPIC

if TYPE_CHECKING:
    import numpy as np

    from xstreamvggt_ros.synthetic.held_out import Sequence as Rendered

LAYOUT = 'synthetic'
PREFIX = f'{LAYOUT}:'
RATE_HZ = 30.0
# Rendered frames are held in memory: some 4 GiB at the most.
MAX_PIXELS = 2**29


def open_synthetic(
    path: str, frames: int = 64, height: int = 126, width: int = 168
) -> SyntheticFrames:
    """Open `synthetic:<seed>`, a seed that training never sees, at a length and size."""
    from xstreamvggt_ros.synthetic.held_out import FIRST_TRAINING_SEED, held_out_config, render

    match = re.fullmatch(rf'{PREFIX}(\d{{1,10}})', str(path))
    if not match or int(match[1]) >= FIRST_TRAINING_SEED:
        raise InputError(f'{path!r} names no sequence; {PREFIX}<seed> has 0 to 4294967295')
    try:
        config = held_out_config(int(match[1]), frames, (height, width))
    except ValueError as error:
        raise InputError(f'{path}: {error}') from error
    if frames * height * width > MAX_PIXELS:
        raise InputError(
            f'{path} would have {frames} images of {width}x{height}, more than the memory is '
            f'meant to hold; take fewer or smaller ones, {MAX_PIXELS} pixels in all'
        )
    rendered = lru_cache(maxsize=1)(partial(render, config))
    shots = tuple(_frame(rendered, index) for index in range(frames))
    return SyntheticFrames(f'{match[1]}-{frames}x{width}x{height}', shots, rendered)


@dataclass(frozen=True, eq=False)
class SyntheticFrames:
    """Frames of a scene that is rendered when the first of them is looked at, and then kept."""

    name: str
    frames: tuple[SequenceFrame, ...]
    rendered: Callable[[], Rendered]
    found: Problems = field(default_factory=Problems)
    dataset: str = LAYOUT
    independent_frames: bool = False
    topic: str = TOPIC
    transport: str = 'raw'

    @property
    def length(self) -> int:
        """Count the frames."""
        return len(self.frames)

    @property
    def problems(self) -> tuple[str, ...]:
        """Return none: nothing of it is read."""
        return self.found.lines()

    def fingerprint(self) -> str:
        """Hash what was rendered, which the version of the renderer may change."""
        digest = hashlib.sha256(self.name.encode())
        sequence = self.rendered()
        for values in (
            sequence.images,
            sequence.depth,
            sequence.camera_from_world,
            sequence.intrinsics,
        ):
            digest.update(values.contiguous().numpy().tobytes())
        return digest.hexdigest()


def _frame(rendered: Callable[[], Rendered], index: int) -> SequenceFrame:
    return SequenceFrame(
        stamp_at(index, RATE_HZ),
        f'{index:06d}',
        None,
        partial(_image, rendered, index),
        partial(_truth, rendered, index),
    )


def _image(rendered: Callable[[], Rendered], index: int) -> np.ndarray:
    return rendered().images[index].numpy()


def _truth(rendered: Callable[[], Rendered], index: int) -> FrameTruth:
    sequence = rendered()
    return FrameTruth(
        known_depth(sequence.depth[index].numpy()),
        invert_rigid(sequence.camera_from_world[index].double().numpy()),
        sequence.intrinsics[index].double().numpy(),
    )
