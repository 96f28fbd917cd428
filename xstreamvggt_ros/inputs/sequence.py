# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
What every input becomes: frames, read lazily, any number of times, with truth where it is known.

Depth is along z in metres; poses are world from optical frame (x right, y down, z forward).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
import logging
from typing import Protocol

import numpy as np

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.inputs.payloads import Calibration, EncodedImage, RawImage

TOPIC = '/camera/image_raw'
FRAME_ID = 'camera_optical_frame'
# Images without stamps are dated from here on, 2026-01-01 and odd nanoseconds, so that a stamp
# which passes through a float somewhere does not come out as it went in.
FIRST_STAMP_NS = 1_767_225_600_123_456_789

logger = logging.getLogger(__name__)


class DamagedFrame(InputError):
    """An image cannot be read; the message names its file. The sequence's other frames can."""


@dataclass(frozen=True, eq=False)
class FrameTruth:
    """
    What is known of a frame.

    depth: (H, W) float32 metres, NaN where unknown, or None. Where the input's depth has another
    size than its images, so it has here. world_from_camera: (4, 4) float64, rigid, or None.
    intrinsics: (3, 3) float64 of the depth map (the camera's own where they are registered), or
    None.
    """

    depth: np.ndarray | None = None
    world_from_camera: np.ndarray | None = None
    intrinsics: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class SequenceFrame:
    """
    One image of a sequence, and its truth; nothing is decoded before it is asked for.

    stamp_ns: nanoseconds, rising over the sequence. name: unique in the sequence, e.g. the file's.
    camera: of the image, None where the input gives no calibration. read_payload: gives the image
    as it was recorded, None where it was not as a message. recorded: the calibration likewise.
    read_pose: gives the truth's pose without its depth.
    """

    stamp_ns: int
    name: str
    camera: CameraModel | None
    read_image: Callable[[], np.ndarray]
    read_truth: Callable[[], FrameTruth] = FrameTruth
    read_payload: Callable[[], RawImage | EncodedImage] | None = None
    recorded: Calibration | None = None
    frame_id: str = FRAME_ID
    read_pose: Callable[[], np.ndarray | None] | None = None

    def image(self) -> np.ndarray:
        """
        Decode to RGB (H, W, 3) as the node does: uint8, or float32 in [0, 1] of 16 bits.

        Raises DamagedFrame naming the file.
        """
        return self.read_image()

    def payload(self) -> RawImage | EncodedImage:
        """Give what a camera driver would publish, bit for bit; DamagedFrame as `image`."""
        if self.read_payload is None:
            return RawImage.of_array(self.image())
        return self.read_payload()

    @property
    def calibration(self) -> Calibration | None:
        """What a camera driver would publish with it, None where there is no calibration."""
        if self.recorded is None and self.camera is not None:
            return Calibration.of_camera(self.camera)
        return self.recorded

    def truth(self) -> FrameTruth:
        """Read the truth; what is missing or damaged is None, and among `problems`."""
        return _survived(self.read_truth, self.name) or FrameTruth()

    def pose(self) -> np.ndarray | None:
        """Read where the camera truly was, as `truth` has it."""
        if self.read_pose is None:
            return self.truth().world_from_camera
        return _survived(self.read_pose, self.name)


def _survived(read: Callable[[], object], name: str):
    """Read some truth; that it is bad costs no image."""
    try:
        return read()
    except Exception as error:  # noqa: BLE001 what is not foreseen is no reason to lose a run
        logger.warning('%s: its truth is left out: %s', name, error)
        return None


class ImageSequence(Protocol):
    """
    A sequence of images, whatever it is read from.

    `name` tells it from the data set's others. `frames` may be known only by reading to the end
    (a video's): to iterate is cheap, `len` and what counts from the end may not be; `length` is
    their number as far as that is known beforehand. `topic` is where the images belong, and
    `transport` says how: 'raw' or 'compressed' (on `topic` + '/compressed'). `problems` names
    missing or damaged files and what was left out for them: those found on opening, and those met
    in reading since. Where `independent_frames`, the images are no video (NYU-v2, KITTI's
    selection): a replay begins anew with each.
    """

    name: str
    dataset: str
    frames: Sequence[SequenceFrame]
    length: int | None
    topic: str
    transport: str
    independent_frames: bool

    @property
    def problems(self) -> tuple[str, ...]:
        """Return what was found so far, each line once."""

    def fingerprint(self) -> str:
        """Return the SHA-256, hex, over names, sizes and contents of all that is read."""


def readable_images(
    sequence: ImageSequence,
) -> Iterator[tuple[int, SequenceFrame, np.ndarray]]:
    """Decode every frame's image in order: index, frame, image; damaged ones are passed over."""
    for index, frame in enumerate(sequence.frames):
        try:
            image = frame.image()
        except DamagedFrame:
            continue
        yield index, frame, image


def frames_at(sequence: ImageSequence, stamps_ns: Collection[int]) -> Iterator[SequenceFrame]:
    """Give the frames with these stamps, in order."""
    missing = set(stamps_ns)
    frames = iter(sequence.frames)
    while missing and (frame := next(frames, None)) is not None:
        if frame.stamp_ns in missing:
            missing.remove(frame.stamp_ns)
            yield frame


def stamp_at(index: int, rate_hz: float) -> int:
    """Date the frame at `index` of a sequence without stamps, in nanoseconds."""
    return FIRST_STAMP_NS + round(index * NANOSECONDS / rate_hz)
