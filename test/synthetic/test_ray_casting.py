# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth against solids whose intersection is worked out anew in double precision."""

import numpy as np
import pytest
import torch

from xstreamvggt_ros.synthetic.building import Builder, Pen
from xstreamvggt_ros.synthetic.distances import signed_distance
from xstreamvggt_ros.synthetic.ray_casting import cast_rays, pixel_rays
from xstreamvggt_ros.synthetic.scene import Material
from xstreamvggt_ros.synthetic.textures import texture_library

GREY = Material('plaster', (0.5, 0.5, 0.5), (0.4, 0.4, 0.4))
HEIGHT, WIDTH = 45, 70


@pytest.fixture
def pen():
    return Builder(texture_library(0), np.random.default_rng(0)).at()


def camera(position, angle=0.3, offset=(4.0, -3.0)):
    """Return camera_from_world (1, 3, 4) that looks along +y, turned, and intrinsics (1, 3, 3)."""
    c, s = np.cos(angle), np.sin(angle)
    axes = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    turned = axes @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    roll = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    rotation = roll @ turned
    pose = np.concatenate((rotation, -(rotation @ np.array(position))[:, None]), 1)
    matrix = [[60.0, 0, WIDTH / 2 + offset[0]], [0, 60.0, HEIGHT / 2 + offset[1]], [0, 0, 1]]
    return (
        torch.tensor(pose, dtype=torch.float32)[None],
        torch.tensor(matrix, dtype=torch.float32)[None],
    )


def cast(pen, pose, intrinsics):
    hits = cast_rays(pen.builder.primitives(), pose, intrinsics, HEIGHT, WIDTH)
    return hits.depth[0].double()


def world_rays(pose, intrinsics):
    """Return the origin (3,) and rays (H, W, 3), z = 1 in the camera, in double precision."""
    rotation, translation = pose[0, :, :3].double(), pose[0, :, 3].double()
    rays = pixel_rays(intrinsics, HEIGHT, WIDTH)[0].double() @ rotation
    return -(translation @ rotation), rays


def test_rays_pass_through_integer_pixel_centres():
    _, intrinsics = camera((0, 0, 0))
    ray = pixel_rays(intrinsics, HEIGHT, WIDTH)[0, 7, 11]
    assert ray[0] == pytest.approx((11 - 39) / 60)
    assert ray[1] == pytest.approx((7 - 19.5) / 60)
    assert ray[2] == 1


@pytest.mark.parametrize('away', [1.0, 8.0, 90.0])
def test_sphere_is_exact_near_and_far(pen, away):
    radius = 0.3 * away
    centre = torch.tensor([0.2, away, 1.3], dtype=torch.float64)
    pen.ellipsoid(GREY, centre.tolist(), (radius,) * 3)
    pose, intrinsics = camera((0.1, -0.4, 1.2))
    depth = cast(pen, pose, intrinsics)
    origin, rays = world_rays(pose, intrinsics)
    a = (rays * rays).sum(-1)
    b = (rays * (origin - centre)).sum(-1)
    square = b * b - a * (((origin - centre) ** 2).sum() - radius**2)
    expected = (-b - square.clamp_min(0).sqrt()) / a
    # At the very rim a ray may go either way.
    inside, outside = square > 1e-3 * a * away**2, square < -1e-3 * a * away**2
    assert inside.sum() > 100
    assert (depth - expected)[inside].abs().max() < 1e-4 * max(1.0, away / 10)
    assert torch.isinf(depth[outside]).all()


def test_tilted_box_shows_its_nearest_face(pen):
    pen.tilted_box(GREY, (0, 4, 1), (2, 1, 1.4), yaw=0.4, pitch=0.2)
    pose, intrinsics = camera((0, 0, 1.2))
    depth = cast(pen, pose, intrinsics)
    origin, rays = world_rays(pose, intrinsics)
    points = origin + rays * depth[..., None]
    seen = torch.isfinite(depth)
    solids = pen.builder.primitives()
    offset = points[seen].float() - solids.centre[0]
    local = (offset @ solids.rotation[0]).abs() / solids.half[0]
    assert seen.sum() > 200
    assert (local.amax(1) - 1).abs().max() < 1e-4
    # Marching a millimetre towards the camera leaves the box.
    before = (origin + rays * (depth - 2e-3)[..., None])[seen].float()
    assert (signed_distance(solids, before) > 0).all()


def test_capped_cylinder_has_top_and_wall(pen):
    pen.cylinder(GREY, (0, 3, 0), 0.5, 1.0)
    pose, intrinsics = camera((0.1, 0, 1.6), offset=(0, -20))
    depth = cast(pen, pose, intrinsics)
    origin, rays = world_rays(pose, intrinsics)
    points = (origin + rays * depth[..., None])[torch.isfinite(depth)]
    radial = ((points[:, :2] - torch.tensor([0.0, 3.0])) ** 2).sum(1).sqrt()
    on_top = (points[:, 2] - 1).abs() < 1e-4
    on_wall = (radial - 0.5).abs() < 1e-4
    assert on_top.sum() > 50 and on_wall.sum() > 50
    assert (on_top | on_wall).all()
    assert (radial < 0.5 + 1e-4).all()


def test_axis_aligned_camera_sees_wall_everywhere(pen):
    pen.box(GREY, (-50, 5, -50), (50, 6, 50))
    pose, intrinsics = camera((0, 0, 0), angle=0.0, offset=(0.0, 0.5))
    assert (cast(pen, pose, intrinsics) - 5).abs().max() < 1e-5


def test_every_tile_finds_the_nearest_of_many(pen):
    rng = np.random.default_rng(3)
    balls = [(rng.uniform((-6, 2, -3), (6, 12, 4)), rng.uniform(0.2, 0.7, 3)) for _ in range(60)]
    blocks = [(rng.uniform((-6, 2, -3), (6, 12, 4)), rng.uniform(0.2, 0.9, 3)) for _ in range(60)]
    pose, intrinsics = camera((0, 0, 0))
    alone = []
    for draw, solids in ((Pen.ellipsoid, balls), (Pen.tilted_box, blocks)):
        for centre, size in solids:
            draw(pen, GREY, centre, size, 0.7)
            single = Builder(texture_library(0), rng).at()
            draw(single, GREY, centre, size, 0.7)
            alone.append(cast(single, pose, intrinsics))
    together, expected = cast(pen, pose, intrinsics), torch.stack(alone).amin(0)
    assert torch.isfinite(expected).sum() > 500
    # At a rim, rounding may decide; nowhere else.
    assert (~torch.isclose(together, expected, atol=1e-4)).sum() < 3


def test_distance_is_zero_where_rays_end(pen):
    pen.box(GREY, (-9, -9, -1), (9, 9, 0))
    pen.tilted_box(GREY, (0, 4, 1), (2, 1, 1.4), yaw=0.4, pitch=0.2)
    pen.cylinder(GREY, (1.5, 4, 0), 0.5, 1.0)
    pen.ellipsoid(GREY, (-1.5, 4, 0.5), (0.5, 0.5, 0.5))
    pose, intrinsics = camera((0, 0, 1.2))
    depth = cast(pen, pose, intrinsics)
    origin, rays = world_rays(pose, intrinsics)
    points = (origin + rays * depth[..., None])[torch.isfinite(depth)].float()
    assert signed_distance(pen.builder.primitives(), points).abs().max() < 1e-4
