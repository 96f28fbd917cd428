# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the network says of one image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from xstreamvggt_ros.geometry import (
    decode_pose_encoding,
    FIELD_OF_VIEW_RANGE,
    unproject,
    world_from_camera_points,
)
from xstreamvggt_ros.model import Predictions
from xstreamvggt_ros.ops.dispatch import fused


@dataclass(frozen=True)
class Frame:
    """
    One frame's reconstruction: fp32 tensors on the model's device.

    pose_encoding: (9,) raw. depth, depth_confidence: (H, W), depth along z. points: (H, W, 3) in
    the world (the first camera's optical frame), points_confidence: (H, W). camera_from_world:
    (3, 4). intrinsics: (3, 3), in pixels of the image given. Lengths are in the network's unit.
    """

    pose_encoding: Tensor
    depth: Tensor
    depth_confidence: Tensor
    points: Tensor
    points_confidence: Tensor
    camera_from_world: Tensor
    intrinsics: Tensor

    @property
    def world_from_camera(self) -> Tensor:
        """Where the camera is and how it is turned: the inverse of camera_from_world, (3, 4)."""
        rotation = self.camera_from_world[:, :3].T
        return torch.cat([rotation, self.camera_centre[:, None]], dim=1)

    @property
    def camera_centre(self) -> Tensor:
        """Where the camera is in the world, (3,)."""
        return -(self.camera_from_world[:, :3].T @ self.camera_from_world[:, 3])


def frame_from(predictions: Predictions, height: int, width: int) -> Frame:
    """Take from what the network says of one image of that size what a stream gives of it."""
    pose_encoding = predictions.pose_encodings[-1][0, 0].float()
    depth = predictions.depth[0, 0].float()
    confidence = predictions.depth_confidence[0, 0].float()
    lifts = predictions.points is None
    camera_from_world, intrinsics, points = _lifted(pose_encoding, depth, lifts)
    if lifts:
        points_confidence = confidence
    else:
        points = predictions.points[0, 0].float()
        points_confidence = predictions.points_confidence[0, 0].float()
    return Frame(
        pose_encoding, depth, confidence, points, points_confidence, camera_from_world, intrinsics
    )


def _lifted(
    pose_encoding: Tensor, depth: Tensor, lifts: bool
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return camera_from_world, intrinsics and, with `lifts`, points in the world."""
    if fused(depth):
        from xstreamvggt_ros.ops.lift import lift

        return lift(pose_encoding.contiguous(), depth.contiguous(), FIELD_OF_VIEW_RANGE, lifts)
    camera_from_world, intrinsics = decode_pose_encoding(pose_encoding, *depth.shape)
    if not lifts:
        return camera_from_world, intrinsics, None
    points = world_from_camera_points(unproject(depth, intrinsics), camera_from_world)
    return camera_from_world, intrinsics, points
