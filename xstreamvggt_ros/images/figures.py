# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cheap figures of the network's input images; images are (3, H, W) in [0, 1], greys (H, W)."""

from functools import cache

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

# ITU-R BT.709.
LUMINANCE = (0.2126, 0.7152, 0.0722)
NOISE_CELL = 4


@cache
def _weights(device: torch.device) -> Tensor:
    """Return the weights (3,) of the colours on a device."""
    # Kept beyond this call, so no part of an inference.
    with torch.inference_mode(False):
        return torch.tensor(LUMINANCE, device=device)


def luminance(image: Tensor) -> Tensor:
    """Return the luminance (H, W) of an image (3, H, W), float32."""
    return torch.tensordot(_weights(image.device), image.float(), dims=1)


def contrast(grey: Tensor) -> Tensor:
    """Return the deviation () of means over 4x4 pixels, which sensor noise hardly moves."""
    return avg_pool2d(grey[None], NOISE_CELL)[0].std(correction=0)


def sharpness(grey: Tensor) -> Tensor:
    """Return the variance () of the four-neighbour Laplacian (Pech-Pacheco et al., ICPR 2000)."""
    neighbours = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return (neighbours - 4 * grey[1:-1, 1:-1]).var(correction=0)


def texture(grey: Tensor) -> tuple[float, float, float]:
    """
    Return contrast, sharpness and fineness of a grey (H, W); the host waits for a device once.

    Fineness is the sharpness as a share of that of means over 4x4 pixels: blur takes the fine
    detail and leaves the coarse; a plainer view loses both.
    """
    coarse = sharpness(avg_pool2d(grey[None], NOISE_CELL)[0])
    deviation, fine, coarse = torch.stack([contrast(grey), sharpness(grey), coarse]).tolist()
    return deviation, fine, fine / max(coarse, torch.finfo(grey.dtype).tiny)


def grid(grey: Tensor, cells: int) -> Tensor:
    """Return means over a grid with `cells` along the long side, at most one per pixel."""
    height, width = grey.shape
    per_cell = max(1.0, max(height, width) / cells)
    size = (max(1, round(height / per_cell)), max(1, round(width / per_cell)))
    return adaptive_avg_pool2d(grey[None, None], size)[0, 0]
