# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences as they are stored and compared, and those that training never sees."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xstreamvggt_ros.synthetic.sequence import render_sequence
from xstreamvggt_ros.synthetic.sequence_config import SequenceConfig

# Seeds below are kept for validation and evaluation, and are never trained on.
FIRST_TRAINING_SEED = 2**32
SIZE = (126, 168)


@dataclass(frozen=True)
class Sequence:
    """
    One rendered sequence, or several with their number before F.

    images (F, H, W, 3) uint8, depth (F, H, W) float16 in metres with 0 for the sky,
    camera_from_world (F, 3, 4) and intrinsics (F, 3, 3) float32.
    """

    images: Tensor
    depth: Tensor
    camera_from_world: Tensor
    intrinsics: Tensor

    def parts(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the four in this order."""
        return self.images, self.depth, self.camera_from_world, self.intrinsics


def held_out_config(index: int, frames: int, size: tuple[int, int] = SIZE) -> SequenceConfig:
    """Give the `index`-th held-out sequence's configuration."""
    return SequenceConfig(seed=index, frames=frames, height=size[0], width=size[1], speed=1.5)


def render(config: SequenceConfig, device: str | torch.device = 'cpu') -> Sequence:
    """Render a sequence as it is stored; raises NoFreePlace where a scene has no free place."""
    rendered = render_sequence(config, device)
    # Beyond what half precision holds there is only sky.
    depth = torch.where(rendered.depth < 60_000, rendered.depth, 0).half()
    return Sequence(
        rendered.images, depth, rendered.camera_from_world, rendered.intrinsics.contiguous()
    )
