# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an input is made of: images with their stamps, and the truth where it is known."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np


class InputError(ValueError):
    """An input cannot be read; the message names it and says what to do."""


@dataclass(frozen=True)
class RawImage:
    """Hold the fields of a sensor_msgs/Image."""

    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: bytes

    @classmethod
    def from_array(cls, array: np.ndarray, encoding: str) -> 'RawImage':
        """Take an image (H, W, 3) uint8 with its channels in the order that `encoding` says."""
        height, width = array.shape[:2]
        step = width * array.shape[2] * array.itemsize
        return cls(height, width, encoding, 0, step, array.tobytes())


@dataclass(frozen=True)
class EncodedImage:
    """Hold the fields of a sensor_msgs/CompressedImage."""

    format: str
    data: bytes


@dataclass(frozen=True)
class Calibration:
    """Hold the fields of a sensor_msgs/CameraInfo that say how pixels map to rays."""

    height: int
    width: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]

    @classmethod
    def pinhole(cls, intrinsics: np.ndarray, height: int, width: int) -> 'Calibration':
        """Describe a camera without distortion by its intrinsics (3, 3), in pixels."""
        projection = np.concatenate([intrinsics, np.zeros((3, 1))], axis=1)
        return cls(
            height,
            width,
            'plumb_bob',
            (0.0,) * 5,
            tuple(map(float, intrinsics.ravel())),
            tuple(map(float, np.eye(3).ravel())),
            tuple(map(float, projection.ravel())),
        )


@dataclass(frozen=True)
class Frame:
    """One image of an input; `stamp_ns` is its header's, in nanoseconds."""

    stamp_ns: int
    frame_id: str
    image: RawImage | EncodedImage
    calibration: Calibration | None = None


@dataclass(frozen=True)
class Sample:
    """
    One image to look at, with the truth where the input knows it.

    `image` (H, W, 3) uint8 RGB, None where it cannot be shown; `depth` (H', W') float32, metres
    along z, NaN where unknown; `intrinsics` (3, 3) of `depth`, pixels; `world_from_camera`
    (4, 4), metres, of the optical frame.
    """

    stamp_ns: int
    image: np.ndarray | None
    depth: np.ndarray | None = None
    intrinsics: np.ndarray | None = None
    world_from_camera: np.ndarray | None = None


def depth_in_metres(values: np.ndarray, factor: float) -> np.ndarray:
    """Scale a depth map to metres, float32; 0, 65,535 and what is not finite become NaN."""
    depth = values.astype(np.float32) * np.float32(factor)
    unknown = ~np.isfinite(depth) | (values <= 0) | (values == np.iinfo(np.uint16).max)
    depth[unknown] = np.nan
    return depth


class FrameSource(ABC):
    """
    A sequence of images that is read one at a time, any number of times.

    `title` names it for people, `topic` is where its images belong and `transport` says how:
    'raw' or 'compressed' (on `topic` + '/compressed'). `length` is the number of frames, None
    where only reading to the end would tell.
    """

    title: str
    topic: str
    transport: str = 'raw'
    length: int | None = None

    @abstractmethod
    def frames(self) -> Iterator[Frame]:
        """Read every frame in order; what cannot be decoded is logged, named, and passed over."""

    @abstractmethod
    def samples(self, stamps_ns: Collection[int]) -> Iterator[Sample]:
        """Read the frames with these stamps again, in order, decoded and with their truth."""

    @abstractmethod
    def true_poses(self, stamps_ns: Collection[int]) -> dict[int, np.ndarray]:
        """
        Read where the camera truly was at these stamps, as far as the input knows.

        Rigid (4, 4) transforms, world from optical frame, metres, by stamp in order.
        """
