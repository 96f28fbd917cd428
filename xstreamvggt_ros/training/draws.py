# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What chance decides of a batch, drawn on the host and sent to a device in one piece."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

LEAST_ZOOM = 0.8
MIRRORED, BLURRED = 0.5, 0.2


@dataclass(frozen=True)
class Draw:
    """
    The numbers behind B sequences of S frames, float64.

    sequence (B,): which ones, as their source counts them; frame (B, S): which of their frames;
    zoom (B,): share of the largest crop; mirrored (B,): 1 or 0. gamma (B,), gain (B, S), balance
    (B, 3), saturation (B,), contrast (B,), blurred (B,), noise (B,): looks, see augmentation.
    order (B * S,): the frames shuffled, of which the dense heads take the first ones.
    """

    sequence: Tensor
    frame: Tensor
    zoom: Tensor
    mirrored: Tensor
    gamma: Tensor
    gain: Tensor
    balance: Tensor
    saturation: Tensor
    contrast: Tensor
    blurred: Tensor
    noise: Tensor
    order: Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """B and S."""
        return tuple(self.frame.shape)

    def flat(self) -> Tensor:
        """Lay all numbers in a row, for one transfer."""
        return torch.cat([getattr(self, part.name).flatten() for part in fields(self)])

    @classmethod
    def from_flat(cls, flat: Tensor, shape: tuple[int, int]) -> Draw:
        """Take the numbers of a batch of that shape (B, S) back from a row."""
        shapes = _shapes(*shape)
        parts = flat.split([int(np.prod(sides)) for sides in shapes])
        return cls(*(part.view(sides) for part, sides in zip(parts, shapes, strict=True)))


def _shapes(count: int, frames: int) -> list[tuple[int, ...]]:
    each, all_frames = (count,), (count, frames)
    return [each, all_frames, each, each, each, all_frames, (count, 3), *(each,) * 4] + [
        (count * frames,)
    ]


def draw(
    sequences: np.ndarray,
    available: int,
    frames: int,
    strides: tuple[int, int],
    rng: np.random.Generator,
) -> Draw:
    """
    Draw the rest for `frames` frames of each of these sequences, which have `available`.

    ValueError where they have fewer than `frames`.
    """
    count = len(sequences)
    index = np.stack([draw_frames(available, frames, strides, rng) for _ in range(count)])
    numbers = (
        sequences,
        index,
        rng.uniform(LEAST_ZOOM, 1.0, count),
        rng.random(count) < MIRRORED,
        np.exp(rng.normal(0, 0.15, count)),
        # Only exposure flickers from frame to frame.
        np.exp(rng.normal(0, 0.15, (count, 1)) + rng.normal(0, 0.04, (count, frames))),
        np.exp(rng.normal(0, 0.06, (count, 3))),
        np.exp(rng.normal(0, 0.25, count)),
        np.exp(rng.normal(0, 0.1, count)),
        rng.random(count) < BLURRED,
        0.03 * rng.random(count) ** 2,
        rng.permutation(count * frames),
    )
    return Draw(*(torch.from_numpy(np.asarray(part, dtype=np.float64)) for part in numbers))


def draw_frames(
    available: int, frames: int, strides: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Draw `frames` equally spaced indices below `available`, backwards half of the time."""
    if frames > available:
        raise ValueError(f'{frames} frames asked of sequences of {available}; render longer ones')
    most = max(1, min(strides[1], (available - 1) // max(frames - 1, 1)))
    stride = int(rng.integers(min(strides[0], most), most + 1))
    start = int(rng.integers(available - (frames - 1) * stride))
    index = start + stride * np.arange(frames)
    return index[::-1].copy() if rng.random() < 0.5 else index
