# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth as the network is to say it: relative to the first camera, of unit scale."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xstreamvggt_ros.geometry import unproject, world_from_camera_points


@dataclass(frozen=True)
class Batch:
    """
    B sequences of S frames with their truth, lengths in any unit.

    images (B, S, 3, H, W) in [0, 1]; depth (B, S, H, W), 0 where there is none;
    camera_from_world (B, S, 3, 4); intrinsics (B, S, 3, 3) in pixels.
    """

    images: Tensor
    depth: Tensor
    camera_from_world: Tensor
    intrinsics: Tensor


@dataclass(frozen=True)
class Truth:
    """
    What the network should answer, in units of the mean distance of the points.

    pose_encoding (B, S, 9) as in geometry.decode_pose_encoding; depth (B, S, H, W); points
    (B, S, H, W, 3) in the first camera's frame; valid (B, S, H, W); scale (B,), the unit.
    """

    pose_encoding: Tensor
    depth: Tensor
    points: Tensor
    valid: Tensor
    scale: Tensor


def ground_truth(batch: Batch) -> Truth:
    """
    Normalise a batch as VGGT does (arXiv 2503.11651, section 3.4).

    The world becomes the first camera's frame and the unit of length the mean distance of all
    valid points of the sequence from that camera.
    """
    poses = relative_to_first(batch.camera_from_world)
    valid = batch.depth > 0
    points = world_from_camera_points(unproject(batch.depth, batch.intrinsics), poses)
    distance = points.norm(dim=-1) * valid
    counts = valid.sum((1, 2, 3)).clamp_min(1)
    scale = (distance.sum((1, 2, 3)) / counts).clamp_min(1e-6)
    unit = scale[:, None, None, None]
    return Truth(
        encode_poses(poses, batch.intrinsics, batch.depth.shape[-2:], scale),
        batch.depth / unit,
        points / unit[..., None],
        valid,
        scale,
    )


def relative_to_first(camera_from_world: Tensor) -> Tensor:
    """Re-express poses (B, S, 3, 4) in the frame of each sequence's first camera."""
    rotation, translation = camera_from_world[..., :3], camera_from_world[..., 3:]
    turned = rotation @ rotation[:, :1].mT
    moved = translation - turned @ translation[:, :1]
    return torch.cat([turned, moved], dim=-1)


def encode_poses(
    camera_from_world: Tensor, intrinsics: Tensor, size: tuple[int, int], scale: Tensor
) -> Tensor:
    """Give the pose encoding (B, S, 9) of poses (B, S, 3, 4) with lengths divided by scale (B)."""
    height, width = size
    fov = [
        2 * torch.atan(height / 2 / intrinsics[..., 1, 1]),
        2 * torch.atan(width / 2 / intrinsics[..., 0, 0]),
    ]
    translation = camera_from_world[..., 3] / scale[:, None, None]
    quaternion = quaternion_from_rotation(camera_from_world[..., :3])
    return torch.cat([translation, quaternion, torch.stack(fov, dim=-1)], dim=-1)


def quaternion_from_rotation(rotation: Tensor) -> Tensor:
    """Turn rotation matrices (..., 3, 3) into quaternions (..., 4), x y z w, with w >= 0."""
    m = rotation
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    # Four times the outer product of the quaternion with itself; its longest row is best
    # conditioned.
    outer = torch.stack(
        [
            *(1 + xx - yy - zz, m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0]),
            *(m[..., 2, 1] - m[..., 1, 2], m[..., 1, 0] + m[..., 0, 1], 1 - xx + yy - zz),
            *(m[..., 2, 1] + m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0]),
            *(m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2], 1 - xx - yy + zz),
            *(m[..., 1, 0] - m[..., 0, 1], m[..., 2, 1] - m[..., 1, 2]),
            *(m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1], 1 + xx + yy + zz),
        ],
        dim=-1,
    ).unflatten(-1, (4, 4))
    longest = outer.norm(dim=-1).argmax(-1)[..., None, None].expand(*outer.shape[:-2], 1, 4)
    quaternion = outer.gather(-2, longest).squeeze(-2)
    quaternion = quaternion / quaternion.norm(dim=-1, keepdim=True)
    return torch.where(quaternion[..., 3:] < 0, -quaternion, quaternion)
