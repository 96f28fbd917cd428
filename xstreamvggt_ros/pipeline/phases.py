# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an image is between the steps of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from xstreamvggt_ros.guard import Begun, ImageFigures
from xstreamvggt_ros.images.camera_model import CameraModel
from xstreamvggt_ros.pipeline.camera import Camera


@dataclass(frozen=True, eq=False)
class Prepared:
    """
    An image on its way to the network.

    known: the camera that it was prepared for. pixels: (3, H', W') of it on the device, None where
    nothing could be done yet; figures: theirs.
    """

    image: np.ndarray
    model: CameraModel | None
    camera_index: int
    known: Camera | None
    pixels: Tensor | None
    figures: ImageFigures | None


@dataclass(frozen=True, eq=False)
class BegunFrame:
    """A frame that the network works on; keep: whether it is a keyframe."""

    camera: Camera
    camera_index: int
    pixels: Tensor
    keep: bool
    guarded: Begun
