# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quaternions, cameras and the map frame."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
import torch

from xstreamvggt_ros.geometry import (
    decode_pose_encoding,
    invert_rigid,
    map_from_camera,
    quaternion_from_rotation,
    rigid,
    rotation_from_quaternion,
    unproject,
    world_from_camera_points,
)

NUMBER = st.floats(-10, 10)
QUATERNION = st.tuples(NUMBER, NUMBER, NUMBER, NUMBER)
RNG = np.random.default_rng(0)
ROTATION = Rotation.from_rotvec([0.3, -0.5, 0.8]).as_matrix()
CAMERA_FROM_WORLD = rigid(ROTATION, [0.1, -0.2, 0.3])[:3]


@settings(deadline=None)
@given(QUATERNION)
def test_a_quaternion_of_any_length_gives_the_rotation_that_scipy_gives(quaternion):
    assume(np.linalg.norm(quaternion) > 1e-3)
    rotation = rotation_from_quaternion(torch.tensor(quaternion, dtype=torch.float64))
    np.testing.assert_allclose(rotation, Rotation.from_quat(quaternion).as_matrix(), atol=1e-12)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
def test_a_zero_quaternion_gives_the_identity(dtype):
    rotation = rotation_from_quaternion(torch.zeros(2, 4, dtype=dtype))
    torch.testing.assert_close(rotation, torch.eye(3, dtype=dtype).expand(2, 3, 3))


@settings(deadline=None)
@given(QUATERNION)
def test_a_rotation_gives_its_quaternion_back_with_w_not_negative(quaternion):
    assume(np.linalg.norm(quaternion) > 1e-3)
    rotation = Rotation.from_quat(quaternion).as_matrix()
    back = quaternion_from_rotation(rotation)
    assert back[3] >= 0
    assert np.linalg.norm(back) == pytest.approx(1)
    np.testing.assert_allclose(Rotation.from_quat(back).as_matrix(), rotation, atol=1e-7)


@pytest.mark.parametrize('fov', [0.0, -1.0, 4.0])
def test_a_field_of_view_that_no_camera_has_gives_finite_intrinsics(fov):
    encoding = torch.tensor([0, 0, 0, 0, 0, 0, 1, fov, fov]).float()
    _, intrinsics = decode_pose_encoding(encoding, 40, 60)
    assert intrinsics.isfinite().all()
    assert intrinsics[0, 0] > 0
    assert intrinsics[1, 1] > 0


def test_a_pose_encoding_is_translation_quaternion_and_fields_of_view():
    half_height, half_width = 0.4, 0.6
    quaternion = 3 * Rotation.from_matrix(ROTATION).as_quat()
    encoding = torch.tensor(
        [[0.1, -0.2, 0.3, *quaternion, 2 * half_height, 2 * half_width]], dtype=torch.float64
    )
    camera_from_world, intrinsics = decode_pose_encoding(encoding, height=28, width=42)
    np.testing.assert_allclose(camera_from_world[0], CAMERA_FROM_WORLD, atol=1e-12)
    expected = [[21 / np.tan(half_width), 0, 21], [0, 14 / np.tan(half_height), 14], [0, 0, 1]]
    np.testing.assert_allclose(intrinsics[0], expected, atol=1e-12)


def test_unprojected_depth_projects_back_to_its_pixels():
    depth = torch.tensor(RNG.uniform(0.5, 4, size=(2, 14, 28)))
    intrinsics = torch.tensor([[30.0, 0, 13], [0, 40, 7.5], [0, 0, 1]], dtype=torch.float64)
    points = unproject(depth, intrinsics.expand(2, 3, 3))
    pixels = points @ intrinsics.T
    columns, rows = np.meshgrid(np.arange(28), np.arange(14))
    np.testing.assert_allclose(pixels[..., 2], depth)
    np.testing.assert_allclose((pixels[..., 0] / depth)[1], columns, atol=1e-9)
    np.testing.assert_allclose((pixels[..., 1] / depth)[1], rows, atol=1e-9)


def test_camera_points_in_the_world_come_back_by_the_camera_transform():
    points = torch.tensor(RNG.normal(size=(5, 6, 3)))
    world = world_from_camera_points(points, torch.tensor(CAMERA_FROM_WORLD))
    back = world.numpy() @ CAMERA_FROM_WORLD[:, :3].T + CAMERA_FROM_WORLD[:, 3]
    np.testing.assert_allclose(back, points, atol=1e-12)


def test_an_inverted_rigid_transform_undoes_it():
    full = rigid(ROTATION, [0.1, -0.2, 0.3])
    np.testing.assert_allclose(invert_rigid(full) @ full, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(invert_rigid(full[:3]), invert_rigid(full))


def test_the_first_view_looks_along_the_maps_x_with_z_up():
    first = map_from_camera(np.eye(3, 4))
    np.testing.assert_allclose(first @ [0, 0, 1, 0], [1, 0, 0, 0])  # forward
    np.testing.assert_allclose(first @ [0, -1, 0, 0], [0, 0, 1, 0])  # up
    quaternion = quaternion_from_rotation(first[:3, :3])
    np.testing.assert_allclose(quaternion, [-0.5, 0.5, -0.5, 0.5], atol=1e-12)


def test_optical_world_axes_leave_the_map_unturned():
    pose = map_from_camera(CAMERA_FROM_WORLD, world_axes='optical')
    np.testing.assert_allclose(pose, invert_rigid(CAMERA_FROM_WORLD))


def test_a_camera_ahead_of_the_first_one_is_ahead_on_the_maps_x():
    two_ahead = rigid(np.eye(3), [0, 0, -2])
    np.testing.assert_allclose(map_from_camera(two_ahead)[:3, 3], [2, 0, 0], atol=1e-12)


def test_scale_multiplies_the_translation_alone():
    pose, scaled = map_from_camera(CAMERA_FROM_WORLD), map_from_camera(CAMERA_FROM_WORLD, scale=3)
    np.testing.assert_allclose(scaled[:3, 3], 3 * pose[:3, 3])
    np.testing.assert_array_equal(scaled[:3, :3], pose[:3, :3])


def test_unknown_world_axes_are_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'enu'.*optical, rep103"):
        map_from_camera(CAMERA_FROM_WORLD, world_axes='enu')
