# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cameras and lenses do to images, at random; exposure, colour, noise and blur."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def photometric(images: Tensor, generator: torch.Generator) -> Tensor:
    """
    Change the looks of images (B, S, 3, H, W) in [0, 1], the same way over a sequence.

    Only exposure flickers from frame to frame. The generator is on the CPU, so that a seed means
    the same on every device but for the noise's values.
    """
    batch, frames = images.shape[:2]

    def draw(*shape: int, spread: float) -> Tensor:
        values = torch.randn(batch, *shape, generator=generator) * spread
        return values.to(images.device)[(...,) + (None,) * (5 - 1 - len(shape))]

    gamma = draw(1, spread=0.15).exp()
    gain = (draw(1, spread=0.15) + draw(frames, spread=0.04)).exp()
    balance = draw(1, 3, spread=0.06).exp()
    images = images.clamp_min(1e-4).pow(gamma) * gain * balance
    grey = images.mean(2, keepdim=True)
    images = grey + (images - grey) * draw(1, spread=0.25).exp()
    contrast = draw(1, spread=0.1).exp()
    images = 0.45 + (images - 0.45) * contrast
    if torch.rand((), generator=generator) < 0.2:
        images = _blur(images)
    strength = 0.03 * torch.rand(batch, 1, 1, 1, 1, generator=generator).square()
    seed = int(torch.randint(2**62, (), generator=generator))
    noise = torch.randn(
        images.shape,
        generator=torch.Generator(images.device).manual_seed(seed),
        device=images.device,
    )
    return (images + strength.to(images.device) * noise).clamp(0, 1)


def _blur(images: Tensor) -> Tensor:
    flat = functional.pad(images.flatten(0, 1), (1, 1, 1, 1), mode='replicate')
    return functional.avg_pool2d(flat, 3, stride=1).view_as(images)
