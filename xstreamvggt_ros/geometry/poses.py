# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Cameras, poses and frames: pure functions without ROS.

Conventions. A camera's optical frame is OpenCV's and REP 103's `_optical`: x right, y down,
z forward. `camera_from_world` (3, 4) takes a world point into the optical frame, metres or the
network's own unit. Pixel (u, v) has its centre at integer coordinates, column u and row v, and its
ray is ((u - cx) / fx, (v - cy) / fy, 1). Quaternions are x, y, z, w, scalar last.
"""

import math

import numpy as np
from scipy.spatial.transform import Rotation
import torch
from torch import Tensor

# Rotation that takes the network's world (the first camera's optical axes) into the map frame.
MAP_FROM_WORLD_ROTATION = {
    # REP 103: x forward, y left, z up.
    'rep103': np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]),
    'optical': np.eye(3),
}

FIELD_OF_VIEW_RANGE = (math.radians(1), math.radians(179))


def rotation_from_quaternion(quaternion: Tensor) -> Tensor:
    """
    Turn quaternions (..., 4), x y z w, into rotation matrices (..., 3, 3).

    The quaternion is normalised first; a zero quaternion gives the identity.
    """
    x, y, z, w = quaternion.unbind(-1)
    # Scaling by 2/|q|^2 is the normalisation; |q| = 0 leaves the identity.
    scale = 2.0 / quaternion.square().sum(-1).clamp_min(torch.finfo(quaternion.dtype).tiny)
    rows = [
        1 - scale * (y * y + z * z),
        scale * (x * y - z * w),
        scale * (x * z + y * w),
        scale * (x * y + z * w),
        1 - scale * (x * x + z * z),
        scale * (y * z - x * w),
        scale * (x * z - y * w),
        scale * (y * z + x * w),
        1 - scale * (x * x + y * y),
    ]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def decode_pose_encoding(pose_encoding: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
    """
    Turn pose encodings (..., 9) into `camera_from_world` (..., 3, 4) and intrinsics (..., 3, 3).

    An encoding is the camera-from-world translation, its quaternion (x, y, z, w) and the vertical
    then horizontal field of view in radians (VGGT, arXiv 2503.11651), which no camera has outside
    of 1 to 179 degrees: what lies outside is brought to the nearer end, so that intrinsics are
    finite. The principal point is (width / 2, height / 2), in pixels of the image of that size.
    """
    rotation = rotation_from_quaternion(pose_encoding[..., 3:7])
    camera_from_world = torch.cat([rotation, pose_encoding[..., :3, None]], dim=-1)
    fov_height, fov_width = pose_encoding[..., 7:].clamp(*FIELD_OF_VIEW_RANGE).unbind(-1)
    intrinsics = pose_encoding.new_zeros(*pose_encoding.shape[:-1], 3, 3)
    intrinsics[..., 0, 0] = (width / 2) / torch.tan(fov_width / 2)
    intrinsics[..., 1, 1] = (height / 2) / torch.tan(fov_height / 2)
    intrinsics[..., 0, 2] = width / 2
    intrinsics[..., 1, 2] = height / 2
    intrinsics[..., 2, 2] = 1
    return camera_from_world, intrinsics


def unproject(depth: Tensor, intrinsics: Tensor) -> Tensor:
    """Lift depth (..., H, W) by intrinsics (..., 3, 3) to optical-frame points (..., H, W, 3)."""
    height, width = depth.shape[-2:]
    u = torch.arange(width, device=depth.device, dtype=depth.dtype)
    v = torch.arange(height, device=depth.device, dtype=depth.dtype)
    fx, fy = intrinsics[..., 0, 0, None, None], intrinsics[..., 1, 1, None, None]
    cx, cy = intrinsics[..., 0, 2, None, None], intrinsics[..., 1, 2, None, None]
    x = (u - cx) / fx * depth
    y = (v[:, None] - cy) / fy * depth
    return torch.stack([x, y, depth], dim=-1)


def world_from_camera_points(points: Tensor, camera_from_world: Tensor) -> Tensor:
    """Take optical-frame points (..., H, W, 3) to the world by `camera_from_world` (..., 3, 4)."""
    rotation = camera_from_world[..., None, :, :3]
    translation = camera_from_world[..., None, None, :, 3]
    # Row vectors: p_world = R^T (p_camera - t) is (p_camera - t) @ R.
    return (points - translation) @ rotation


def rigid(rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
    """Build a (4, 4) float64 transform from a (3, 3) rotation and a (3,) translation."""
    transform = np.eye(4)
    transform[:3, :3] = rotation
    transform[:3, 3] = translation
    return transform


def invert_rigid(transform: np.ndarray) -> np.ndarray:
    """Invert a rigid transform (3, 4) or (4, 4), exactly orthogonal or nearly so, to (4, 4)."""
    rotation = transform[:3, :3]
    return rigid(rotation.T, -rotation.T @ transform[:3, 3])


def map_from_camera(
    camera_from_world: np.ndarray, world_axes: str = 'rep103', scale: float = 1.0
) -> np.ndarray:
    """
    Give the camera's pose in the map frame as a rigid (4, 4) transform, map from optical.

    `world_axes` says how the map is turned against the first view: `rep103` (the first view looks
    along +x with +z up, REP 103) or `optical` (not turned). `scale` is metres per network unit and
    multiplies the translation alone, so the transform stays rigid.
    """
    if world_axes not in MAP_FROM_WORLD_ROTATION:
        known = ', '.join(sorted(MAP_FROM_WORLD_ROTATION))
        raise ValueError(f'world_axes is {world_axes!r}; use one of: {known}')
    world_from_camera = invert_rigid(np.asarray(camera_from_world, dtype=np.float64))
    world_from_camera[:3, 3] *= scale
    return rigid(MAP_FROM_WORLD_ROTATION[world_axes], np.zeros(3)) @ world_from_camera


def quaternion_from_rotation(rotation: np.ndarray) -> np.ndarray:
    """Turn rotation matrices (..., 3, 3) into unit quaternions (..., 4), x y z w, with w >= 0."""
    quaternion = Rotation.from_matrix(rotation).as_quat()
    return np.where(quaternion[..., 3:] < 0, -quaternion, quaternion)
