# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the network says of one image."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


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
