# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A calibrated camera, as sensor_msgs/CameraInfo describes it in plain numbers; no ROS.

Pixel (u, v) has its centre at integer coordinates, as in `xstreamvggt_ros.geometry`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xstreamvggt_ros.geometry.quoting import quoted

# How many coefficients each of sensor_msgs' distortion models may have.
COEFFICIENTS = {
    'plumb_bob': (0, 4, 5),
    'rational_polynomial': (0, 4, 5, 8, 12, 14),
    # Without coefficients a fisheye lens would still not be a pinhole.
    'equidistant': (4,),
    'none': (0,),
}
# A focal length in larger sides of the image: from fields of view near 180 degrees to half of one.
FOCAL_LENGTHS = (0.1, 100.0)
# How much longer than tall or taller than long a pixel may be.
MAX_PIXEL_ASPECT = 4.0
# More coefficients than any model has, zeros that some drivers send behind them included.
MOST_COEFFICIENTS = 64


class RegionOfInterest(NamedTuple):
    """The part of the sensor that is sent, in unbinned pixels; width and height 0: all of it."""

    x_offset: int = 0
    y_offset: int = 0
    width: int = 0
    height: int = 0


def is_rectified(image_topic: str) -> bool:
    """Whether the images of a topic, by its full name, are called rectified."""
    return any(part == 'rect' or part.startswith('image_rect') for part in image_topic.split('/'))


def has_projection(message) -> bool:
    """Whether a CameraInfo says by P how rectified images are projected."""
    return message.p[0] > 0


@dataclass(frozen=True)
class CameraModel:
    """
    Intrinsics and distortion of a camera; equal numbers make equal models.

    width, height: pixels of the full, unbinned sensor. K: (3, 3) or 9 numbers row by row, for that
    size, in pixels. D: coefficients in OpenCV's order. distortion: 'plumb_bob',
    'rational_polynomial', 'equidistant' (OpenCV's fisheye) or 'none'; '' is 'none'. binning_x,
    binning_y: pixels averaged into one, 0 being 1. roi: what part is sent (an empty one is all).
    These are the fields of sensor_msgs/CameraInfo. ValueError naming the field: not calibrated
    (fx or fy is 0), K no pinhole's, an unknown distortion, coefficients of a number that it has
    not, values that are not finite, a region that is not within the sensor.
    """

    width: int
    height: int
    K: tuple[float, ...]
    D: tuple[float, ...] = ()
    distortion: str = 'none'
    binning_x: int = 0
    binning_y: int = 0
    roi: RegionOfInterest = RegionOfInterest()

    @classmethod
    def of_message(cls, message, rectified: bool) -> CameraModel:
        """
        Read a camera from what has the fields of a sensor_msgs/CameraInfo; errors as above.

        Rectified images have no distortion any more, and P in the place of K; drivers that only
        send such images may leave P empty. Coefficients beyond those of the model are passed over
        where they are 0. ValueError too for what no camera has: a focal length of another unit
        than pixels, a principal point outside the image.
        """
        roi = message.roi
        intrinsics, coefficients, distortion = message.k, message.d, message.distortion_model
        if rectified:
            coefficients, distortion = (), 'none'
            if has_projection(message):
                intrinsics = np.reshape(message.p, (3, 4))[:, :3]
        elif has_projection(message) and not any(message.k):
            raise ValueError(
                'camera_info.k is zero, but p is not: calibrations of images that are rectified '
                'already are published so; set input.rectified to always where they are'
            )
        _check_count('d', coefficients)
        camera = cls(
            message.width,
            message.height,
            intrinsics,
            _without_zeros(coefficients, distortion),
            distortion,
            message.binning_x,
            message.binning_y,
            (roi.x_offset, roi.y_offset, roi.width, roi.height),
        )
        camera.check_plausible('p' if rectified and has_projection(message) else 'k')
        return camera

    def __post_init__(self) -> None:
        """Take the numbers as tuples, so that models can be compared; refuse what is wrong."""
        for name in ('K', 'D'):
            _check_count(name.lower(), getattr(self, name))
            values = np.asarray(getattr(self, name), dtype=np.float64).ravel()
            object.__setattr__(self, name, tuple(values.tolist()))
        object.__setattr__(self, 'roi', RegionOfInterest(*self.roi))
        object.__setattr__(self, 'distortion', self.distortion or 'none')
        if self.width < 1 or self.height < 1:
            raise ValueError(
                f'camera_info is for {self.width}x{self.height} pixels; publish width and height '
                'of the calibrated image'
            )
        self._check_region()
        self._check_intrinsics()
        self._check_distortion()

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the images: the region of interest, binned, rounded down."""
        height, width = self.roi.height or self.height, self.roi.width or self.width
        return height // max(1, self.binning_y), width // max(1, self.binning_x)

    @property
    def intrinsics(self) -> np.ndarray:
        """Intrinsics (3, 3), float64, of the images: K moved into the region, then binned."""
        full = np.array(self.K).reshape(3, 3)
        full[0, 2] -= self.roi.x_offset
        full[1, 2] -= self.roi.y_offset
        x, y = max(1, self.binning_x), max(1, self.binning_y)
        # Pixel edges, not centres, are what binning divides: hence the half pixels.
        binned_from_full = np.array(
            [[1 / x, 0, 0.5 / x - 0.5], [0, 1 / y, 0.5 / y - 0.5], [0, 0, 1]]
        )
        return binned_from_full @ full

    @property
    def distorts(self) -> bool:
        """Whether the images are other than a pinhole's."""
        return self.distortion == 'equidistant' or any(self.D)

    def check_plausible(self, matrix: str = 'k') -> None:
        """Raise ValueError, naming camera_info's `matrix`, where no camera has such intrinsics."""
        fx, _, cx, _, fy, cy, *_ = self.K
        shortest, longest = (max(self.width, self.height) * share for share in FOCAL_LENGTHS)
        if not (shortest <= fx <= longest and shortest <= fy <= longest):
            raise ValueError(
                f'camera_info.{matrix} has fx = {fx:g}, fy = {fy:g} for an image of '
                f'{self.width}x{self.height}, which no camera has; publish them in pixels of that '
                f'image, from {shortest:g} to {longest:g}'
            )
        if not 1 / MAX_PIXEL_ASPECT <= fx / fy <= MAX_PIXEL_ASPECT:
            raise ValueError(
                f'camera_info.{matrix} has fx = {fx:g} but fy = {fy:g}; publish both in pixels, '
                'which are about as wide as tall'
            )
        if not (0 <= cx <= self.width and 0 <= cy <= self.height):
            raise ValueError(
                f'camera_info.{matrix} has the principal point ({cx:g}, {cy:g}), outside the '
                f'image of {self.width}x{self.height}; publish cx and cy in pixels of that image, '
                'and where only a part of it is sent that part as roi'
            )

    def check_image(self, height: int, width: int) -> None:
        """Raise ValueError unless images of that size are this camera's."""
        expected = self.image_size
        # Drivers round odd sizes up or down when they bin.
        spare = (int(self.binning_y > 1), int(self.binning_x > 1))
        if any(
            not 0 <= size - wanted <= more
            for size, wanted, more in zip((height, width), expected, spare, strict=True)
        ):
            raise ValueError(
                f'an image is {width}x{height} but its camera_info is for '
                f'{expected[1]}x{expected[0]} (region of interest and binning applied); publish '
                'the camera_info of this image, resized with it, or set input.use_camera_info to '
                'false'
            )

    def _check_region(self) -> None:
        x, y, width, height = self.roi
        # An empty region is all of the sensor, from its offset.
        beyond = x + max(1, width) > self.width or y + max(1, height) > self.height
        if beyond or min(self.roi) < 0:
            raise ValueError(
                f'camera_info.roi is {width}x{height} pixels at ({x}, {y}), not within the '
                f'{self.width}x{self.height} of camera_info; publish it in unbinned pixels, or '
                'zeros where all of the image is sent'
            )

    def _check_intrinsics(self) -> None:
        if len(self.K) != 9 or not np.isfinite(self.K).all():
            raise ValueError(f'camera_info.k is {self.K}; publish nine finite numbers')
        fx, fy = self.K[0], self.K[4]
        if fx == 0 or fy == 0:
            raise ValueError(
                f'camera_info.k has fx = {fx:g}, fy = {fy:g}: the camera is not calibrated; '
                'calibrate it (camera_calibration) or set input.use_camera_info to false'
            )
        rest = self.K[1], self.K[3], self.K[6], self.K[7], self.K[8]
        if fx < 0 or fy < 0 or rest != (0, 0, 0, 0, 1):
            raise ValueError(
                f'camera_info.k is {self.K}; publish fx, 0, cx, 0, fy, cy, 0, 0, 1 with fx and fy '
                'above 0'
            )

    def _check_distortion(self) -> None:
        if self.distortion not in COEFFICIENTS:
            known = ', '.join(COEFFICIENTS)
            raise ValueError(
                f'camera_info.distortion_model is {quoted(self.distortion)}; use one of: '
                f'{known}, or rectify the images (image_proc), and set input.rectified to always '
                'where the topic is not called image_rect'
            )
        allowed = COEFFICIENTS[self.distortion]
        # Some drivers send zeros along with no model.
        count = len(self.D) if any(self.D) or self.distortion != 'none' else 0
        if count not in allowed or not np.isfinite(self.D).all():
            numbers = ', '.join(str(number) for number in allowed)
            raise ValueError(
                f'camera_info.d is {self.D} but {self.distortion} has {numbers} finite '
                'coefficients; publish as many, or another distortion_model'
            )


def _check_count(field: str, numbers: Sequence[float]) -> None:
    """Refuse so many numbers that they are neither a camera's nor to be shown."""
    # Of an array (3, 3) it is 3, which is as good.
    count = len(numbers)
    if count > MOST_COEFFICIENTS:
        raise ValueError(
            f'camera_info.{field} has {count} numbers; publish those of its model, '
            f'{MOST_COEFFICIENTS} at most'
        )


def _without_zeros(coefficients: Sequence[float], distortion: str) -> Sequence[float]:
    """Leave out the zeros that follow the coefficients that a model has."""
    allowed = [count for count in COEFFICIENTS.get(distortion, ()) if count <= len(coefficients)]
    if not allowed or any(coefficients[max(allowed) :]):
        return coefficients
    return coefficients[: max(allowed)]
