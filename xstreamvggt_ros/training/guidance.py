# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Teach a small network early what its tokens are for.

A large network finds out by itself, from poses and depth alone, which patches of two frames show
the same place; a small one with little time does not. So one head of some global blocks is told
where to look, and linear read-outs of every block's tokens are told what to know. Both exist in
training only: nothing of them is exported.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn, Tensor
from torch.nn import functional

from xstreamvggt_ros.images.patches import patch_grid, PATCH_SIZE
from xstreamvggt_ros.model.model_config import ModelConfig
from xstreamvggt_ros.training.truth import Batch, Truth

# The head of the guided blocks that is told where to look.
GUIDED_HEAD = 0
# A point farther behind what a frame sees there, relatively, is hidden in it.
DEPTH_TOLERANCE = 0.08
POSE_NUMBERS = 9
# Log depth, the point in the world (3), where it is seen in the frame before (2).
PATCH_NUMBERS = 6


@dataclass(frozen=True)
class Matches:
    """
    Where the middle of each patch of frame s is seen in frame r.

    position (B, S, P, S, 2): column and row in patches, the middle of the first patch at (0, 0);
    visible (B, S, P, S): whether frame r sees it. Indices are s, patch, r; grid: rows, columns.
    """

    position: Tensor
    visible: Tensor
    grid: tuple[int, int]


def find_matches(batch: Batch) -> Matches:
    """
    Follow the middle of every patch through depth and pose into every frame.

    In full precision under autocast too, which would round metres and pixels to three digits.
    """
    with torch.autocast(batch.depth.device.type, enabled=False):
        return _find_matches(batch)


def _find_matches(batch: Batch) -> Matches:
    frames, height, width = batch.depth.shape[1:]
    v, u = torch.meshgrid(
        *(
            torch.arange(PATCH_SIZE // 2, side, PATCH_SIZE, device=batch.depth.device)
            for side in (height, width)
        ),
        indexing='ij',
    )
    u, v = u.flatten(), v.flatten()
    depth = batch.depth[:, :, v, u]
    rotation, translation = batch.camera_from_world[..., :3], batch.camera_from_world[..., 3:]
    here = torch.stack(_rays(u, v, batch.intrinsics), dim=2) * depth[:, :, None]
    world = rotation.mT @ (here - translation)
    # b: sequence, r: frame seen in, s: frame seen from, i and j: axes, p: patch.
    seen = torch.einsum('brij,bsjp->bsrip', rotation, world) + translation[:, None]
    projected = torch.einsum('brij,bsrjp->bsrip', batch.intrinsics, seen)
    z = projected[:, :, :, 2]
    at = projected[:, :, :, :2] / z.clamp_min(1e-3)[:, :, :, None]
    column, row = (at[:, :, :, axis].round().long() for axis in (0, 1))
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height) & (z > 1e-3)
    flat = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).flatten(3)
    there = batch.depth.flatten(2)[:, None].expand(-1, frames, -1, -1).gather(3, flat)
    same = (there - z).abs() < DEPTH_TOLERANCE * z
    visible = inside & same & (depth > 0)[:, :, None]
    position = (at - PATCH_SIZE // 2) / PATCH_SIZE
    grid = patch_grid(height, width)
    return Matches(position.permute(0, 1, 4, 2, 3), visible.transpose(2, 3), grid)


def _rays(u: Tensor, v: Tensor, intrinsics: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return x, y and z (B, S, P) of the rays through pixels (P,), z being 1."""
    fx, fy, cx, cy = (
        intrinsics[..., row, column, None] for row, column in ((0, 0), (1, 1), (0, 2), (1, 2))
    )
    x = (u - cx) / fx
    return x, (v - cy) / fy, torch.ones_like(x)


class Watched:
    """A memory that notes the queries and keys of one head of some global blocks."""

    def __init__(self, memory, blocks: tuple[int, ...]) -> None:
        """Pass everything to memory."""
        self.attend_camera = memory.attend_camera
        self.noted: list[tuple[Tensor, Tensor]] = []
        self._memory, self._blocks = memory, blocks

    def attend_global(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend (B, H, S * N, D) as the memory does."""
        if layer in self._blocks:
            self.noted.append((queries[:, GUIDED_HEAD], keys[:, GUIDED_HEAD]))
        return self._memory.attend_global(layer, queries, keys, values)


def matching_loss(queries: Tensor, keys: Tensor, matches: Matches, config: ModelConfig) -> Tensor:
    """
    Ask of queries and keys (B, S * N, D) that each patch finds itself in earlier frames.

    The cross entropy between the attention that a patch pays to another frame's patches and the
    four patches round its true place there, weighted as in bilinear interpolation; the mean over
    all visible pairs of a frame and an earlier one.
    """
    position, visible = matches.position, matches.visible
    frames = position.shape[1]
    queries, keys = (
        part.unflatten(1, (frames, -1))[:, :, config.special_tokens :].float()
        for part in (queries, keys)
    )
    with torch.autocast(queries.device.type, enabled=False):
        scores = torch.einsum('bspd,brqd->bsprq', queries, keys) * queries.shape[-1] ** -0.5
    likelihood = scores.log_softmax(-1)
    order = torch.arange(frames, device=scores.device)
    earlier = (order[None] < order[:, None])[:, None]
    wanted = visible & earlier
    fit = _interpolate(likelihood, position, matches.grid)
    return -(fit * wanted).sum() / wanted.sum().clamp_min(1)


class ReadOuts(nn.Module):
    """Linear read-outs of the tokens of every block: poses of frames, geometry of patches."""

    def __init__(self, config: ModelConfig) -> None:
        """Build for the features of a network's pairs of blocks, 2C wide."""
        super().__init__()
        width = 2 * config.embed_dim
        self.special = config.special_tokens
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(config.depth))
        self.pose = nn.ModuleList(nn.Linear(width, POSE_NUMBERS) for _ in range(config.depth))
        self.patch = nn.ModuleList(nn.Linear(width, PATCH_NUMBERS) for _ in range(config.depth))
        for layer in (*self.pose, *self.patch):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def loss(self, features: dict[int, Tensor], truth: Truth, matches: Matches, delta: float):
        """
        Return the mean Huber losses of poses and of patches over the blocks.

        features: {pair: (B, S, N, 2C)} of all pairs. delta: where the poses' loss turns linear.
        """
        wanted, known = _patch_truth(truth, matches)
        poses, patches = [], []
        for pair, feature in features.items():
            tokens = self.norms[pair](feature)
            pose = self.pose[pair](tokens[:, :, 0]).float()
            poses.append(functional.smooth_l1_loss(pose, truth.pose_encoding, beta=delta))
            said = self.patch[pair](tokens[:, :, self.special :]).float()
            error = functional.smooth_l1_loss(said, wanted, beta=0.1, reduction='none')
            patches.append((error * known).sum() / known.sum().clamp_min(1))
        return torch.stack(poses).mean(), torch.stack(patches).mean()


def _patch_truth(truth: Truth, matches: Matches) -> tuple[Tensor, Tensor]:
    """Return what patches are to know (B, S, P, 6), and which of it can be known."""
    middle = slice(PATCH_SIZE // 2, None, PATCH_SIZE)
    depth = truth.depth[:, :, middle, middle].flatten(2)
    points = truth.points[:, :, middle, middle].flatten(2, 3)
    valid = truth.valid[:, :, middle, middle].flatten(2)
    rows, columns = matches.grid
    across, down = (torch.arange(side, device=points.device) for side in (columns, rows))
    own = torch.stack(torch.meshgrid(across, down, indexing='xy'), dim=-1)
    own = own.flatten(0, 1).to(points.dtype)
    # Frame s in the frame before it; the first frame has none.
    frames = torch.arange(1, depth.shape[1], device=depth.device)
    before = matches.position[:, frames, :, frames - 1].movedim(0, 1) - own
    seen = matches.visible[:, frames, :, frames - 1].movedim(0, 1)
    moved = functional.pad(before / max(rows, columns), (0, 0, 0, 0, 1, 0))
    moved_known = functional.pad(seen, (0, 0, 1, 0))[..., None].expand(-1, -1, -1, 2)
    wanted = torch.cat(
        [
            depth.clamp_min(1e-4).log()[..., None],
            points.sign() * points.abs().log1p(),
            4 * moved,
        ],
        dim=-1,
    )
    known = torch.cat([valid[..., None].expand(-1, -1, -1, 4), moved_known], dim=-1)
    return torch.where(known, wanted, 0), known


def _interpolate(maps: Tensor, position: Tensor, grid: tuple[int, int]) -> Tensor:
    """Read maps (B, S, P, S, P') at position (B, S, P, S, 2) between the four patches round it."""
    rows, columns = grid
    column = position[..., 0].clamp(0, columns - 1)
    row = position[..., 1].clamp(0, rows - 1)
    left = column.floor().clamp_max(max(columns - 2, 0))
    top = row.floor().clamp_max(max(rows - 2, 0))
    total = 0.0
    for down in (0, 1):
        for right in (0, 1):
            x, y = (left + right).clamp_max(columns - 1), (top + down).clamp_max(rows - 1)
            weight = (1 - (column - x).abs()).clamp_min(0) * (1 - (row - y).abs()).clamp_min(0)
            index = (y * columns + x).long()[..., None]
            total = total + weight * maps.gather(-1, index)[..., 0]
    return total
