# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an image has to be before a stream takes it in."""

from __future__ import annotations

import math

from torch import Tensor

from xstreamvggt_ros.images.patches import PATCH_SIZE

# Filters overshoot; numbers further beyond [0, 1] are of another scale.
BEYOND = 0.5


def check_form(image: Tensor) -> None:
    """Raise ValueError unless it is floating point RGB (3, H, W) that divides into patches."""
    if not isinstance(image, Tensor):
        raise ValueError(
            f'image is a {type(image).__module__}.{type(image).__name__}; give a torch tensor '
            '(3, H, W) in [0, 1]; of an RGB array (H, W, 3) of bytes that is '
            'torch.from_numpy(array).permute(2, 0, 1) / 255'
        )
    if image.ndim != 3 or image.shape[0] != 3 or not image.is_floating_point():
        raise ValueError(
            f'image is {tuple(image.shape)} {image.dtype}; give (3, H, W) floating point RGB '
            'in [0, 1]'
        )
    check_patches(*image.shape[-2:])


def check_patches(height: int, width: int) -> None:
    """Raise ValueError unless an image of that size divides into patches."""
    if height % PATCH_SIZE or width % PATCH_SIZE or height <= 0 or width <= 0:
        raise ValueError(
            f'image is {width}x{height}; width and height must be multiples of {PATCH_SIZE}'
        )


def check_numbers(low: float, high: float) -> None:
    """Raise ValueError unless the least and the largest number are those of RGB in [0, 1]."""
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError('image has numbers that are not finite; one would spoil all later frames')
    if low < -BEYOND or high > 1 + BEYOND:
        raise ValueError(
            f'image has numbers from {low:g} to {high:g}; give RGB in [0, 1]: divide what '
            'goes to 255 by 255, and do not normalise (images.prepare does all that is needed)'
        )
