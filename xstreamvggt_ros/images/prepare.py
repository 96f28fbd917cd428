# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images of files and arrays as a stream takes them, by the node's own rules."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from torch import Tensor

from xstreamvggt_ros.images.preprocessing import Preprocessing

MAX_PIXELS = 2**25


def prepare_image(
    image: str | os.PathLike | np.ndarray, image_size: int, max_pixels: int = MAX_PIXELS
) -> Tensor:
    """
    Bring an image file, or an RGB array, to the network: (3, H, W) float32 in [0, 1].

    image: a file (JPEG, PNG, BMP, TIFF, WebP, PPM), turned upright by its EXIF orientation; or
    (H, W, 3), uint8 or floating point in [0, 1]. image_size: the long side that the weights were
    trained at, a multiple of 14 (`ModelConfig.image_size`). It is resized and cropped as the node
    does.
    ValueError naming the fix: another shape or type, values beyond [0, 1], a size that no network
    sees, a file that is no image or above `max_pixels`.
    """
    array = image if isinstance(image, np.ndarray) else _read(Path(image), max_pixels)
    array = _checked(array)
    return Preprocessing.plan(*array.shape[:2], image_size).apply(array)


def prepare_intrinsics(
    intrinsics: np.ndarray, height: int, width: int, image_size: int
) -> np.ndarray:
    """Take intrinsics (3, 3) of an image to those of what `prepare_image` makes of it, float64."""
    return Preprocessing.plan(height, width, image_size).intrinsics(intrinsics)


def _read(path: Path, max_pixels: int) -> np.ndarray:
    # Here, because OpenCV is needed only where files are decoded.
    from xstreamvggt_ros.images.decoding_compressed import decode_picture

    return decode_picture(path.read_bytes(), path.name, max_pixels)


def _checked(array: np.ndarray) -> np.ndarray:
    if array.ndim != 3 or array.shape[2] != 3:
        raise ValueError(
            f'an image is {array.dtype} of shape {array.shape}; give RGB as (H, W, 3), of a grey '
            'one np.repeat(image[..., None], 3, axis=2)'
        )
    if not np.issubdtype(array.dtype, np.floating):
        # Other whole numbers are refused with what there is instead.
        return array
    low, high = float(array.min()), float(array.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError('an image has values that are NaN or infinite; give finite ones')
    if low < 0 or high > 1:
        raise ValueError(
            f'an image is {array.dtype} with values from {low:g} to {high:g}; give floating point '
            'in [0, 1] (divide what goes to 255 by 255), or uint8'
        )
    return array.astype(np.float32, copy=False)
