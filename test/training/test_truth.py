# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground truth: scale, frames and pose encodings."""

import pytest
from scipy.spatial.transform import Rotation
import torch

from xstreamvggt_ros.geometry import (
    decode_pose_encoding,
    unproject,
    world_from_camera_points,
)
from xstreamvggt_ros.training.truth import Batch, ground_truth, quaternion_from_rotation

HEIGHT, WIDTH = 6, 8


def a_batch(seed=0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    rotation = torch.from_numpy(Rotation.random(6, rng=seed).as_matrix()).float()
    poses = torch.cat([rotation, scale * torch.randn(6, 3, 1, generator=generator)], dim=-1)
    depth = scale * (1 + torch.rand(2, 3, HEIGHT, WIDTH, generator=generator))
    depth[:, :, 0] = 0
    intrinsics = torch.tensor([[7.0, 0, WIDTH / 2], [0, 6.0, HEIGHT / 2], [0, 0, 1]])
    return Batch(
        torch.zeros(2, 3, 3, HEIGHT, WIDTH),
        depth,
        poses.unflatten(0, (2, 3)),
        intrinsics.expand(2, 3, 3, 3),
    )


def test_scaling_the_scene_changes_nothing_but_the_unit():
    truth, larger = ground_truth(a_batch()), ground_truth(a_batch(scale=7.0))
    for name in ('pose_encoding', 'depth', 'points'):
        torch.testing.assert_close(
            getattr(truth, name), getattr(larger, name), rtol=1e-4, atol=1e-5
        )
    torch.testing.assert_close(7 * truth.scale, larger.scale)


def test_moving_the_world_changes_nothing():
    batch = a_batch()
    shift = torch.eye(4)
    shift[:3] = a_batch(seed=1).camera_from_world[0, 0]
    moved = Batch(batch.images, batch.depth, batch.camera_from_world @ shift, batch.intrinsics)
    torch.testing.assert_close(
        ground_truth(batch).points, ground_truth(moved).points, rtol=1e-3, atol=1e-4
    )


def test_unit_is_the_mean_distance_of_valid_points_from_the_first_camera():
    truth = ground_truth(a_batch())
    assert not truth.valid[:, :, 0].any()
    for points, valid in zip(truth.points, truth.valid, strict=True):
        assert points[valid].norm(dim=-1).mean().item() == pytest.approx(1.0, rel=1e-4)


def test_first_pose_is_the_identity_and_encodings_decode_to_the_points():
    batch = a_batch()
    truth = ground_truth(batch)
    identity = torch.tensor([0.0, 0, 0, 0, 0, 0, 1])
    torch.testing.assert_close(
        truth.pose_encoding[:, 0, :7], identity.expand(2, 7), atol=1e-5, rtol=0
    )
    poses, intrinsics = decode_pose_encoding(truth.pose_encoding, HEIGHT, WIDTH)
    torch.testing.assert_close(intrinsics, batch.intrinsics, rtol=1e-4, atol=1e-4)
    points = world_from_camera_points(unproject(truth.depth, intrinsics), poses)
    torch.testing.assert_close(points, truth.points, rtol=1e-3, atol=1e-4)


def test_quaternions_agree_with_scipy_even_near_half_turns():
    rotations = Rotation.concatenate(
        [
            Rotation.random(50, rng=0),
            Rotation.from_rotvec([[3.1415, 0, 0], [0, 3.1415, 0], [0, 0, 3.1415], [0, 0, 0]]),
        ]
    )
    expected = torch.from_numpy(rotations.as_quat(canonical=True))
    found = quaternion_from_rotation(torch.from_numpy(rotations.as_matrix()))
    torch.testing.assert_close(found, expected, atol=1e-7, rtol=0)
