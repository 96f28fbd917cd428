# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What every data set becomes: frames with truth, read lazily, any number of times.

Depth is along z in metres; poses are world from optical frame (x right, y down, z forward).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.inputs.frames import InputError


class DamagedFrame(InputError):
    """An image cannot be read; the message names its file. The sequence's other frames can."""


@dataclass(frozen=True, eq=False)
class FrameTruth:
    """
    What is known of a frame.

    depth: (H, W) float32 metres, NaN where unknown, or None. Where the data set's depth has
    another size than its images, so it has here. world_from_camera: (4, 4) float64, rigid, or
    None. intrinsics: (3, 3) float64 of the depth map (the camera's own where they are registered),
    or None.
    """

    depth: np.ndarray | None = None
    world_from_camera: np.ndarray | None = None
    intrinsics: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class SequenceFrame:
    """
    One image of a sequence, and its truth; nothing is decoded before it is asked for.

    stamp_ns: nanoseconds, rising over the sequence. name: unique in the sequence, e.g. the file's.
    camera: of the image, None where the data set gives no calibration.
    """

    stamp_ns: int
    name: str
    camera: CameraModel | None
    read_image: Callable[[], np.ndarray]
    read_truth: Callable[[], FrameTruth]

    def image(self) -> np.ndarray:
        """Decode to (H, W, 3) uint8 RGB; raises DamagedFrame naming the file."""
        return self.read_image()

    def truth(self) -> FrameTruth:
        """Read the truth; what is missing or damaged is None, and among `problems`."""
        return self.read_truth()


class EvaluationSequence(Protocol):
    """
    A sequence of a data set.

    `name` tells it from the data set's others. `problems` names missing or damaged files and what
    was left out for them: those found on opening, and those met in reading since. Where
    `independent_frames`, the images are no video (NYU-v2, KITTI's selection): a replay begins
    anew with each.
    """

    name: str
    dataset: str
    frames: Sequence[SequenceFrame]
    independent_frames: bool

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what was found so far, each line once."""

    def fingerprint(self) -> str:
        """Return the SHA-256, hex, over names, sizes and contents of all that is read."""


def readable_images(
    sequence: EvaluationSequence,
) -> Iterator[tuple[int, SequenceFrame, np.ndarray]]:
    """Decode every frame's image in order: index, frame, image; damaged ones are passed over."""
    for index, frame in enumerate(sequence.frames):
        try:
            image = frame.image()
        except DamagedFrame:
            continue
        yield index, frame, image
