# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images as a pinhole camera would have taken them, with OpenCV; no ROS."""

from __future__ import annotations

from typing import ClassVar
from weakref import WeakValueDictionary

import cv2
import numpy as np

from xstreamvggt_ros.images.camera_model import CameraModel

# Rows are mapped this many pixels at a time, which bounds what is held in floating point.
CHUNK_PIXELS = 2**18
# Parts of a pixel that OpenCV's tables tell apart (cv2.INTER_TAB_SIZE).
INTER_TAB = 32
# Radii at which the lens is tried for where it folds back on itself.
RADII = 2048
# A fisheye's rays are followed up to this tangent of the angle to the axis (89.4 degrees).
STEEPEST = 100.0
# Of an image through a real lens, however wide, more than the rest is seen.
MOST_MISSING = 0.9


class Undistortion:
    """
    Undistort one camera's images; the tables for it are made once.

    The result has the size and the intrinsics of the distorted image: `K` (3, 3) float64.
    `missing` (H, W) bool says which of its pixels were undistorted from nothing: they lie outside
    the image, or where the lens model folds back on itself and would show the image again. It
    keeps 7 bytes a pixel, 1 for a camera that does not distort. ValueError: images of another
    size, or coefficients by which nearly all of it is missing.
    """

    _made: ClassVar[WeakValueDictionary] = WeakValueDictionary()

    @classmethod
    def of(cls, camera: CameraModel, height: int, width: int) -> Undistortion:
        """Give the one that somebody holds for the same images, or make it; errors as below."""
        found = cls._made.get((camera, height, width))
        if found is None:
            found = cls._made[camera, height, width] = cls(camera, height, width)
        return found

    def __init__(self, camera: CameraModel, height: int, width: int) -> None:
        """Make the tables for the camera's images of that size in pixels."""
        camera.check_image(height, width)
        self.camera = camera
        self.K = camera.intrinsics
        self.missing = np.zeros((height, width), bool)
        self._coordinates = self._weights = None
        if camera.distorts:
            self._coordinates = np.empty((height, width, 2), np.int16)
            self._weights = np.empty((height, width), np.uint16)
            fold = self._fold()
            rows = max(1, CHUNK_PIXELS // width)
            for top in range(0, height, rows):
                self._map_rows(top, min(rows, height - top), fold)
            self._check_missing()

    def apply(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """
        Undistort an image (H, W, C), uint8 or float32, bilinearly; return it and `missing`.

        Missing pixels are 0. A camera that does not distort gives back the very image. ValueError:
        another size.
        """
        return self._remap(image, cv2.INTER_LINEAR, 0), self.missing

    def apply_nearest(self, values: np.ndarray) -> np.ndarray:
        """Undistort (H, W) float32, such as depth, without mixing values; NaN where missing."""
        return self._remap(values, cv2.INTER_NEAREST, np.nan)

    def coordinates(self) -> np.ndarray | None:
        """Say where each pixel lies in the image, x and y (H, W, 2) float32; None: where it is."""
        if self._coordinates is None:
            return None
        # OpenCV's tables count in 32nds of a pixel.
        parts = np.stack([self._weights % INTER_TAB, self._weights // INTER_TAB], axis=-1)
        return self._coordinates + parts.astype(np.float32) / INTER_TAB

    def _remap(self, image: np.ndarray, interpolation: int, nothing: float) -> np.ndarray:
        if image.shape[:2] != self.missing.shape:
            raise ValueError(
                f'an image is {image.shape[:2]} (height, width) but the undistortion is for '
                f'{self.missing.shape}; make a new one when the image size changes'
            )
        if self._coordinates is None:
            return image
        coordinates, weights = self._coordinates, self._weights
        # Replicated, for the half pixel between the outermost centres and the image's edge.
        result = cv2.remap(
            image, coordinates, weights, interpolation, borderMode=cv2.BORDER_REPLICATE
        )
        result[self.missing] = nothing
        return result

    def _check_missing(self) -> None:
        missing = self.missing.mean()
        if missing > MOST_MISSING:
            raise ValueError(
                f'camera_info.d is {self.camera.D} ({self.camera.distortion}), by which '
                f'{100 * missing:.1f} % of the undistorted image would come from nothing; '
                'calibrate again, or set input.use_camera_info to false'
            )

    def _map_rows(self, top: int, rows: int, fold: float) -> None:
        """Fill in the tables for some rows of the result."""
        _, width = self.missing.shape
        below_top = self.K.copy()
        below_top[1, 2] -= top
        lens = cv2.fisheye if self.camera.distortion == 'equidistant' else cv2
        u, v = lens.initUndistortRectifyMap(
            self.K, np.array(self.camera.D), np.eye(3), below_top, (width, rows), cv2.CV_32FC1
        )
        part = slice(top, top + rows)
        inside = (u >= -0.5) & (u < width - 0.5) & (v >= -0.5) & (v < self.missing.shape[0] - 0.5)
        x = (np.arange(width) - self.K[0, 2]) / self.K[0, 0]
        y = (np.arange(top, top + rows) - self.K[1, 2]) / self.K[1, 1]
        self.missing[part] = ~inside | (np.hypot(x, y[:, None]) > fold)
        u[~inside] = v[~inside] = 0
        self._coordinates[part], self._weights[part] = cv2.convertMaps(u, v, cv2.CV_16SC2)

    def _fold(self) -> float:
        """Find the radius beyond which the lens model falls; infinite where it always rises."""
        height, width = self.missing.shape
        corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]])
        corners = np.linalg.solve(self.K, corners.T)
        radii = np.linspace(0, np.hypot(corners[0], corners[1]).max(), RADII)
        if self.camera.distortion == 'equidistant':
            radii = np.tan(np.linspace(0, np.arctan(STEEPEST), RADII))
        distorted = self._distort_radii(radii)
        falls = np.flatnonzero(np.diff(distorted) <= 0)
        return radii[falls[0]] if len(falls) else np.inf

    def _distort_radii(self, radii: np.ndarray) -> np.ndarray:
        """Say how far from the axis the lens puts rays of these radii, by its radial terms."""
        coefficients = np.array(self.camera.D)
        rays = np.stack([radii, np.zeros_like(radii), np.ones_like(radii)], axis=-1)[:, None]
        nowhere = np.zeros(3)
        if self.camera.distortion == 'equidistant':
            seen, _ = cv2.fisheye.projectPoints(rays, nowhere, nowhere, np.eye(3), coefficients)
        else:
            radial = coefficients.copy()
            radial[2:4] = 0
            radial[8:] = 0
            seen, _ = cv2.projectPoints(rays, nowhere, nowhere, np.eye(3), radial)
        return seen[:, 0, 0]
