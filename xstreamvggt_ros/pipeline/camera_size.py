# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A reconstruction at the size of the camera's own picture; no ROS."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.pipeline.phases import BegunFrame
from xstreamvggt_ros.pipeline.reconstruction import Reconstruction

if TYPE_CHECKING:
    # OpenCV is needed only where cameras are calibrated.
    from xstreamvggt_ros.images.undistortion import Undistortion


@dataclass(frozen=True, eq=False)
class CameraPicture:
    """
    An image as it came, and how it reached the network.

    image: (H, W, 3) RGB, uint8, or float32 in [0, 1]. undistortion: None where the camera is not
    calibrated.
    """

    image: np.ndarray
    plan: Preprocessing
    undistortion: Undistortion | None

    @classmethod
    def of(cls, image: np.ndarray, begun: BegunFrame) -> CameraPicture:
        """Take the image of a frame that has begun."""
        view = begun.camera.view
        return cls(image, begun.camera.plan, None if view is None else view.undistortion)


class CameraSized:
    """
    What is shown of a reconstruction, at the size (H, W) of the camera's own picture.

    Each is made when it is first asked for, and kept.
    """

    def __init__(self, reconstruction: Reconstruction, source: CameraPicture) -> None:
        """Take the reconstruction and the image that it is of."""
        self._reconstruction = reconstruction
        self._source = source

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self._source.plan.source_size

    @cached_property
    def intrinsics(self) -> np.ndarray:
        """(3, 3) float64 of the picture: the camera's own where it was given, else predicted."""
        if self._source.undistortion is not None:
            return self._source.undistortion.K
        return self._source.plan.source_intrinsics(self._reconstruction.intrinsics)

    @cached_property
    def picture(self) -> np.ndarray:
        """The picture (H, W, 3) uint8, undistorted where the camera is calibrated."""
        image, undistortion = self._source.image, self._source.undistortion
        if undistortion is not None:
            image, _ = undistortion.apply(image)
        return image if image.dtype == np.uint8 else np.rint(255 * image).astype(np.uint8)

    @cached_property
    def depth(self) -> np.ndarray:
        """(H, W) float32, metres along z; NaN where there is none or the network did not see."""
        return self._upsampled(self._reconstruction.depth)

    @cached_property
    def confidence(self) -> np.ndarray:
        """(H, W) float32, of the depth; NaN where the network did not see."""
        return self._upsampled(self._reconstruction.confidence)

    def _upsampled(self, values: np.ndarray) -> np.ndarray:
        # Here, because OpenCV is needed only where this is asked for.
        from xstreamvggt_ros.images.upsampling import upsample

        found = upsample(values, self._reconstruction.picture, self.picture, self._source.plan)
        if self._source.undistortion is not None:
            found[self._source.undistortion.missing] = np.nan
        return found
