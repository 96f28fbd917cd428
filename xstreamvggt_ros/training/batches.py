# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Batches drawn from rendered sequences: sub-sampled, reversed, mirrored, cropped."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from xstreamvggt_ros.training.config import Stage
from xstreamvggt_ros.training.shards import Sequence
from xstreamvggt_ros.training.truth import Batch

LEAST_ZOOM = 0.8


def draw_batch(
    pick: Callable[[np.random.Generator], Sequence],
    stage: Stage,
    rng: np.random.Generator,
    device: torch.device,
) -> Batch:
    """Draw a batch of one of the stage's shapes; `pick` draws one rendered sequence."""
    count, frames = stage.shapes[rng.integers(len(stage.shapes))]
    items = [_draw_sequence(pick(rng), frames, stage, rng, device) for _ in range(count)]
    return Batch(*(torch.stack(parts) for parts in zip(*items, strict=True)))


def _draw_sequence(sequence, frames, stage, rng, device) -> tuple[Tensor, ...]:
    index = draw_frames(len(sequence.images), frames, stage.strides, rng)
    chosen = [
        part[index].to(device)
        for part in (
            sequence.images,
            sequence.depth,
            sequence.camera_from_world,
            sequence.intrinsics,
        )
    ]
    zoom = float(rng.uniform(LEAST_ZOOM, 1.0))
    images, depth, poses, intrinsics = resized(*chosen, stage.size, zoom)
    if rng.random() < 0.5:
        images, depth, poses, intrinsics = mirrored(images, depth, poses, intrinsics)
    return images, depth, poses, intrinsics


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


def resized(
    images: Tensor,
    depth: Tensor,
    camera_from_world: Tensor,
    intrinsics: Tensor,
    size: tuple[int, int],
    zoom: float = 1.0,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """
    Cut the middle out of frames and bring it to `size`, the intrinsics following.

    images (F, H, W, 3) uint8 become (F, 3, h, w) in [0, 1]; depth (F, H, W) is read at the
    nearest pixel. `zoom` is the share of the largest crop of that shape that is kept.
    """
    height, width = images.shape[1:3]
    share = zoom * min(height / size[0], width / size[1])
    rows, columns = round(size[0] * share), round(size[1] * share)
    top, left = (height - rows) // 2, (width - columns) // 2
    planes = images[:, top : top + rows, left : left + columns].permute(0, 3, 1, 2).float() / 255
    if (rows, columns) != size:
        planes = functional.interpolate(planes, size, mode='bilinear', antialias=True)
    v = _nearest(size[0], rows, depth.device) + top
    u = _nearest(size[1], columns, depth.device) + left
    intrinsics = intrinsics.clone()
    for axis, (crop, kept, side) in enumerate(((left, columns, size[1]), (top, rows, size[0]))):
        ratio = side / kept
        intrinsics[:, axis, axis] *= ratio
        intrinsics[:, axis, 2] = (intrinsics[:, axis, 2] - crop + 0.5) * ratio - 0.5
    return planes, depth[:, v[:, None], u].float(), camera_from_world, intrinsics


def mirrored(
    images: Tensor, depth: Tensor, camera_from_world: Tensor, intrinsics: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Swap left and right of images (F, 3, H, W), and of the world with them."""
    flip = torch.tensor([-1.0, 1.0, 1.0], device=depth.device)
    rotation = flip[:, None] * camera_from_world[..., :3] * flip
    translation = flip * camera_from_world[..., 3]
    intrinsics = intrinsics.clone()
    intrinsics[:, 0, 2] = depth.shape[-1] - 1 - intrinsics[:, 0, 2]
    poses = torch.cat([rotation, translation[..., None]], dim=-1)
    return images.flip(-1), depth.flip(-1), poses, intrinsics


def _nearest(count: int, kept: int, device: torch.device) -> Tensor:
    centres = (torch.arange(count, device=device) + 0.5) * (kept / count) - 0.5
    return centres.round().long().clamp(0, kept - 1)
