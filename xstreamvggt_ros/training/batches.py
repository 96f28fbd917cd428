# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Batches made of rendered frames: cropped, resized, mirrored.

All sequences of a batch at once and without a question to the device, so that a step can be
captured. Nothing here makes a tensor on the host.
"""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training.truth import Batch


def make_batch(
    frames: Sequence,
    size: tuple[int, int],
    zoom: Tensor | None = None,
    mirrored: Tensor | None = None,
) -> Batch:
    """
    Cut the middle out of frames (B, S, ...), bring it to `size`, mirror it where asked.

    zoom (B,): the share of the largest crop of that shape that is kept, float64; mirrored (B,):
    bool. Colours are resized as by torch's antialiased bilinear filter, here as two matrix
    products, for which every sequence can have a crop of its own; depth is read at the nearest
    pixel.
    """
    count, length, height, width = frames.depth.shape
    device = frames.depth.device
    if zoom is None:
        zoom = torch.ones(count, dtype=torch.float64, device=device)
    if mirrored is None:
        mirrored = torch.zeros(count, dtype=torch.bool, device=device)
    share = zoom * min(height / size[0], width / size[1])
    rows, columns = _Side.cut(height, size[0], share), _Side.cut(width, size[1], share)
    columns = columns.mirrored(mirrored)
    v, u = rows.nearest(), columns.nearest()
    sequence = torch.arange(count, device=device)[:, None, None, None]
    frame = torch.arange(length, device=device)[:, None, None]
    depth = frames.depth[sequence, frame, v[:, None, :, None], u[:, None, None]].float()
    return Batch(
        _resized_colours(frames.images, rows.weights(), columns.weights()),
        depth,
        _mirrored_poses(frames.camera_from_world, mirrored),
        _fitted(frames.intrinsics, rows, columns, mirrored),
    )


class _Side:
    """Along one axis: from `length` pixels keep (B,) from `first` (B,) on, to `count` ones."""

    def __init__(self, length: int, index: Tensor, count: int, first: Tensor, kept: Tensor):
        """Take also the place (B, count) of each new pixel among them, 0 to count - 1."""
        self.length, self.index, self.count = length, index, count
        self.first, self.kept = first, kept

    @classmethod
    def cut(cls, length: int, count: int, share: Tensor) -> _Side:
        """Keep the middle count * share (B,) pixels."""
        kept = (count * share).round()
        index = torch.arange(count, device=share.device).expand(len(share), -1)
        return cls(length, index, count, ((length - kept) / 2).floor(), kept)

    def mirrored(self, where: Tensor) -> _Side:
        """Run from the other end where (B,) is true."""
        index = torch.where(where[:, None], self.count - 1 - self.index, self.index)
        return _Side(self.length, index, self.count, self.first, self.kept)

    def centres(self) -> Tensor:
        """Return where the middles of the new pixels lie among those kept, edge at 0."""
        return (self.index + 0.5) * (self.kept / self.count)[:, None]

    def nearest(self) -> Tensor:
        """Return the old pixel (B, count) nearest to each new one."""
        near = (self.centres() - 0.5).round().clamp_min(0).minimum(self.kept[:, None] - 1)
        return (near + self.first[:, None]).long()

    def weights(self) -> Tensor:
        """Return the share (B, count, length) of each old pixel in each new one."""
        old = torch.arange(self.length, device=self.index.device) - self.first[:, None]
        reach = (self.kept / self.count).clamp_min(1)[:, None, None]
        distance = (old[:, None] + 0.5 - self.centres()[..., None]).abs() / reach
        inside = (old >= 0) & (old < self.kept[:, None])
        weights = (1 - distance).clamp_min(0) * inside[:, None]
        return (weights / weights.sum(-1, keepdim=True)).float()


def _resized_colours(images: Tensor, down: Tensor, across: Tensor) -> Tensor:
    """Resize images (B, S, H, W, 3) uint8 to (B, S, 3, h, w) in [0, 1]."""
    count, frames, height, width = images.shape[:4]
    planes = images.permute(0, 2, 1, 4, 3).float().div_(255).reshape(count, height, -1)
    planes = (down @ planes).view(count, -1, width) @ across.mT
    planes = planes.view(count, down.shape[1], frames, 3, across.shape[1])
    return planes.permute(0, 2, 3, 1, 4).contiguous()


def _fitted(intrinsics: Tensor, rows: _Side, columns: _Side, mirrored: Tensor) -> Tensor:
    """Let intrinsics (B, S, 3, 3) follow the crop, the resizing and the mirror."""
    fitted = intrinsics.clone()
    for axis, side in enumerate((columns, rows)):
        ratio = (side.count / side.kept).float()[:, None]
        fitted[..., axis, axis] *= ratio
        moved = (fitted[..., axis, 2] - side.first.float()[:, None] + 0.5) * ratio - 0.5
        fitted[..., axis, 2] = moved
    across = fitted[..., 0, 2]
    fitted[..., 0, 2] = torch.where(mirrored[:, None], columns.count - 1 - across, across)
    return fitted


def _mirrored_poses(camera_from_world: Tensor, mirrored: Tensor) -> Tensor:
    """Swap left and right of the world where (B,) is true, of poses (B, S, 3, 4)."""
    sign = (1 - 2 * mirrored.float())[:, None, None]
    poses = camera_from_world.clone()
    # What mixes x with another axis changes its sign, x with itself does not.
    poses[..., 0, 1:] *= sign
    poses[..., 1:, 0] *= sign
    return poses
