# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cameras and lenses do to images, at random; exposure, colour, noise and blur."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from xstreamvggt_ros.training.draws import Draw


def photometric(images: Tensor, drawn: Draw, generator: torch.Generator | None = None) -> Tensor:
    """
    Change the looks of images (B, S, 3, H, W) in [0, 1] as drawn, alike over a sequence.

    Only exposure flickers from frame to frame. The noise comes from the generator, which is on
    the images' device, or from that device's own.
    """

    def number(values: Tensor) -> Tensor:
        values = values.float()
        return values[(...,) + (None,) * (5 - values.ndim)]

    balance = number(drawn.balance[:, None])
    images = images.clamp_min(1e-4).pow(number(drawn.gamma)) * number(drawn.gain) * balance
    grey = images.mean(2, keepdim=True)
    images = grey + (images - grey) * number(drawn.saturation)
    images = 0.45 + (images - 0.45) * number(drawn.contrast)
    images = torch.where(number(drawn.blurred) > 0, _blur(images), images)
    noise = torch.randn(
        images.shape, generator=generator, device=images.device, dtype=images.dtype
    )
    return (images + number(drawn.noise) * noise).clamp(0, 1)


def _blur(images: Tensor) -> Tensor:
    flat = functional.pad(images.flatten(0, 1), (1, 1, 1, 1), mode='replicate')
    return functional.avg_pool2d(flat, 3, stride=1).view_as(images)
