# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Preprocessing and undistortion as functions on tensors, for a device that is faster at them.

They give what Pillow and OpenCV give on the host, but for the last bit of a byte: there numbers
are fixed-point, here floating-point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xstreamvggt_ros.images.preprocessing import Preprocessing

if TYPE_CHECKING:
    # OpenCV is needed only where cameras are calibrated.
    from xstreamvggt_ros.images.undistortion import Undistortion


def resized(image: Tensor, plan: Preprocessing) -> Tensor:
    """
    Resize and crop an RGB image (H, W, 3), uint8 or float32, as `Preprocessing.apply` does.

    Gives (3, H', W') float32 in [0, 1] on the image's device: of a uint8 image whole levels of
    1/255, at most one from Pillow's (nearly all are the same); of a float32 one numbers within
    5e-5 of Pillow's.
    """
    planes = image.permute(2, 0, 1)[None].float()
    height, width = plan.resized_size
    # As Pillow does: first the rows, whose overshoot is clipped and rounded, then the columns.
    for size in ((planes.shape[2], width), (height, width)):
        if planes.shape[2:] != size:
            planes = functional.interpolate(planes, size, mode='bicubic', antialias=True)
            if image.dtype == torch.uint8:
                planes = planes.round_().clamp_(0, 255)
    rows = slice(plan.crop_top, plan.crop_top + plan.size[0])
    columns = slice(plan.crop_left, plan.crop_left + plan.size[1])
    kept = planes[0, :, rows, columns]
    return (kept / 255 if image.dtype == torch.uint8 else kept.clamp(0, 1)).contiguous()


class DeviceUndistortion:
    """
    Undistort one camera's images on a device, by the tables of an `Undistortion`.

    It keeps 9 bytes a pixel there, 1 of a camera that does not distort.
    """

    def __init__(self, undistortion: Undistortion, device: torch.device) -> None:
        """Take the tables to the device."""
        self._missing = torch.from_numpy(undistortion.missing).to(device)
        places = undistortion.coordinates()
        self._grid = None
        if places is not None:
            height, width = undistortion.missing.shape
            # From pixels to -1 at the first pixel's centre and 1 at the last one's.
            last = np.maximum([width - 1, height - 1], 1)
            grid = (2 * places.astype(np.float64) / last - 1).astype(np.float32)
            self._grid = torch.from_numpy(grid).to(device)[None]

    def apply(self, image: Tensor) -> Tensor:
        """
        Undistort an image (H, W, 3), uint8 or float32, as `Undistortion.apply` does.

        At most one level of a uint8 image differs from OpenCV's, and 1e-3 of a float32 one in
        [0, 1]; missing pixels are 0.
        """
        if self._grid is None:
            return image
        planes = image.permute(2, 0, 1)[None].float()
        seen = functional.grid_sample(
            planes, self._grid, mode='bilinear', padding_mode='border', align_corners=True
        )[0].permute(1, 2, 0)
        if image.dtype == torch.uint8:
            seen = seen.round().byte()
        return seen.masked_fill(self._missing[..., None], 0)
