# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Images to the network's size, with their intrinsics following; no ROS.

The published checkpoint expects RGB resized with Pillow's antialiased bicubic filter to a fixed
width and to the nearest height in whole patches, the middle kept where that is too tall.
Pixel (u, v) has its centre at integer coordinates, as in `xstreamvggt_ros.geometry`.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image
import torch
from torch import Tensor

from xstreamvggt_ros.images.patches import PATCH_SIZE

# Beyond this a picture is not a camera's, and its resized copy would not fit the memory.
MAX_ASPECT_RATIO = 10.0


@dataclass(frozen=True)
class Preprocessing:
    """
    Bring images of one size to the network's: a resize, then a crop.

    Every size is (height, width) in pixels. Build it with `plan` or `cover`.
    """

    source_size: tuple[int, int]
    resized_size: tuple[int, int]
    crop_top: int
    crop_left: int
    size: tuple[int, int]

    @classmethod
    def plan(cls, height: int, width: int, image_size: int) -> 'Preprocessing':
        """
        Choose the size as the checkpoint was trained: width `image_size`, aspect nearly kept.

        The height is rounded to whole patches; a result taller than `image_size` (portrait) loses
        equal parts at its top and bottom. ValueError: an `image_size` that is no positive multiple
        of 14, a side below 1 pixel, one side more than 10 times the other.
        """
        _check_multiple('image_size', image_size)
        _check_source(height, width)
        resized_height = max(
            PATCH_SIZE, round(image_size * height / width / PATCH_SIZE) * PATCH_SIZE
        )
        kept = min(resized_height, image_size)
        return cls(
            source_size=(height, width),
            resized_size=(resized_height, image_size),
            crop_top=(resized_height - kept) // 2,
            crop_left=0,
            size=(kept, image_size),
        )

    @classmethod
    def cover(cls, height: int, width: int, size: tuple[int, int]) -> 'Preprocessing':
        """
        Choose the smallest resize that covers `size` (height, width), and keep its middle.

        For further cameras, whose images must have the first one's network size. ValueError: a
        `size` that is not made of positive multiples of 14, and source sizes as in `plan`.
        """
        _check_multiple('size height', size[0])
        _check_multiple('size width', size[1])
        _check_source(height, width)
        scale = max(size[0] / height, size[1] / width)
        resized_height = max(size[0], round(height * scale))
        resized_width = max(size[1], round(width * scale))
        return cls(
            source_size=(height, width),
            resized_size=(resized_height, resized_width),
            crop_top=(resized_height - size[0]) // 2,
            crop_left=(resized_width - size[1]) // 2,
            size=size,
        )

    @property
    def cut(self) -> float:
        """The share of the image that the crop leaves out, from 0 to 1."""
        return 1 - np.prod(self.size) / np.prod(self.resized_size)

    def apply(self, image: np.ndarray) -> Tensor:
        """
        Resize and crop an RGB image (H, W, 3) to a (3, H', W') float32 tensor in [0, 1].

        uint8 images are resized in uint8, as the checkpoint's were in training; float32 images in
        [0, 1] channel by channel, the filter's overshoot clipped. ValueError: another shape or
        type, or a size that is not `source_size`.
        """
        self.check_image(image)
        if image.dtype == np.uint8:
            # Copied: Pillow's memory is read-only and its rows are wider than the crop's.
            pixels = self._resize(image).copy()
            return torch.from_numpy(pixels).permute(2, 0, 1).contiguous().float().div_(255)
        channels = [self._resize(image[..., channel]) for channel in range(3)]
        return torch.from_numpy(np.stack(channels)).clamp_(0, 1)

    @staticmethod
    def picture(pixels: Tensor) -> Tensor:
        """
        Turn what `apply` returned, (3, H', W') in [0, 1], into an (H', W', 3) uint8 picture.

        It needs no second resize, and what `apply` made of a uint8 image comes back exactly.
        """
        return pixels.mul(255).round().byte().permute(1, 2, 0).contiguous()

    def intrinsics(self, intrinsics: np.ndarray) -> np.ndarray:
        """Take intrinsics (3, 3) of the source image to the resized and cropped one's, float64."""
        return self._source_to_output() @ np.asarray(intrinsics, dtype=np.float64)

    def source_intrinsics(self, intrinsics: np.ndarray) -> np.ndarray:
        """Take intrinsics (3, 3) of the resized and cropped image to the source's, float64."""
        return np.linalg.solve(self._source_to_output(), np.asarray(intrinsics, dtype=np.float64))

    def check_image(self, image: np.ndarray) -> None:
        """Raise ValueError unless `apply` takes such an image."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype not in (np.uint8, np.float32):
            raise ValueError(
                f'an image is {image.dtype} of shape {image.shape}; '
                'give (H, W, 3) RGB as uint8, or as float32 in [0, 1]'
            )
        if image.shape[:2] != self.source_size:
            raise ValueError(
                f'an image is {image.shape[:2]} (height, width) but the plan is for '
                f'{self.source_size}; make a new plan when the image size changes'
            )

    def _source_to_output(self) -> np.ndarray:
        scale_y = self.resized_size[0] / self.source_size[0]
        scale_x = self.resized_size[1] / self.source_size[1]
        # Pixel edges, not centres, are what a resize scales: hence the half pixels.
        return np.array(
            [
                [scale_x, 0, scale_x / 2 - 0.5 - self.crop_left],
                [0, scale_y, scale_y / 2 - 0.5 - self.crop_top],
                [0, 0, 1],
            ]
        )

    def _resize(self, pixels: np.ndarray) -> np.ndarray:
        """Resize and crop (H, W, 3) uint8 or (H, W) float32; the result is not to be written."""
        height, width = self.resized_size
        resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC)
        rows = slice(self.crop_top, self.crop_top + self.size[0])
        columns = slice(self.crop_left, self.crop_left + self.size[1])
        return np.asarray(resized)[rows, columns]


def _check_multiple(name: str, value: int) -> None:
    if value < PATCH_SIZE or value % PATCH_SIZE:
        below = max(PATCH_SIZE, value // PATCH_SIZE * PATCH_SIZE)
        raise ValueError(
            f'{name} is {value}; use a positive multiple of {PATCH_SIZE}, such as {below} or 518'
        )


def _check_source(height: int, width: int) -> None:
    if height < 1 or width < 1:
        raise ValueError(f'an image is {width}x{height} pixels; both sides must be at least 1')
    if max(height, width) > MAX_ASPECT_RATIO * min(height, width):
        raise ValueError(
            f'an image is {width}x{height} pixels; crop it so that no side is more than '
            f'{MAX_ASPECT_RATIO:g} times the other'
        )
