# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences as a whole: truth that agrees with itself, cameras that keep clear, natural images."""

from dataclasses import replace
from functools import lru_cache

import pytest
import torch

from xstreamvggt_ros.synthetic import make_scene, render_sequence, SequenceConfig
from xstreamvggt_ros.synthetic.distances import signed_distance

SMALL = {'frames': 10, 'height': 84, 'width': 112}
CASES = [
    ('room', 'handheld', 1),
    ('room', 'driving', 2),
    ('room', 'drone', 5),
    ('room', 'rotation', 4),
    ('outdoor', 'handheld', 1),
    ('outdoor', 'driving', 3),
    ('outdoor', 'drone', 2),
    ('outdoor', 'rotation', 5),
]


@lru_cache(maxsize=len(CASES))
def film(kind, motion, seed):
    config = SequenceConfig(
        seed=seed,
        scene=kind,
        motion=motion,
        principal_offset=0.1,
        horizontal_fov=(60, 95),
        **SMALL,
    )
    scene = make_scene(config)
    return scene, render_sequence(config, scene=scene)


def centres(poses):
    return -(poses[:, :, :3].mT @ poses[:, :, 3:])[..., 0]


def points_of(sequence, frame):
    """Return world points (H, W, 3) of a frame, worked out from its truth in double precision."""
    matrix = sequence.intrinsics[frame].double()
    pose = sequence.camera_from_world[frame].double()
    height, width = sequence.depth.shape[1:]
    v, u = torch.meshgrid(
        torch.arange(height, dtype=torch.float64),
        torch.arange(width, dtype=torch.float64),
        indexing='ij',
    )
    ray = torch.stack((u, v, torch.ones_like(u)), -1) @ torch.linalg.inv(matrix).mT
    camera = ray * sequence.depth[frame].double()[..., None]
    return (camera - pose[:, 3]) @ pose[:, :3]


@pytest.mark.parametrize('case', CASES)
def test_shapes_and_types(case):
    _, sequence = film(*case)
    assert sequence.images.shape == (10, 84, 112, 3) and sequence.images.dtype == torch.uint8
    assert sequence.depth.shape == (10, 84, 112) and sequence.depth.dtype == torch.float32
    assert sequence.camera_from_world.shape == (10, 3, 4)
    assert sequence.intrinsics.shape == (10, 3, 3)
    assert torch.isfinite(sequence.depth).all() and (sequence.depth >= 0).all()
    rotation = sequence.camera_from_world[:, :, :3]
    assert torch.allclose(rotation @ rotation.mT, torch.eye(3).expand(10, 3, 3), atol=1e-5)
    assert (torch.linalg.det(rotation) > 0).all()


@pytest.mark.parametrize('seed', [0, 3, 8])
def test_pixels_lie_on_floor_and_walls(seed):
    config = SequenceConfig(
        seed=seed, scene='room', motion='handheld', principal_offset=0.1, clutter=0.3, **SMALL
    )
    scene = make_scene(config)
    sequence = render_sequence(config, scene=scene)
    shares = []
    for frame in (0, 9):
        points = points_of(sequence, frame)
        distances = torch.stack(
            [points @ torch.tensor(plane.normal).double() - plane.offset for plane in scene.planes]
        )
        nearest = distances.abs().amin(0)
        shares.append((nearest < 1e-3).double().mean())
        # Wrong depth or pose would spread points of floor and walls over the nearest millimetres,
        # where hardly anything stands: 3 mm of 3 m.
        assert ((nearest > 1e-3) & (nearest < 4e-3)).double().mean() < 0.01
    assert max(shares) > 0.25


def test_ground_lies_on_its_planes_and_sky_has_no_depth():
    scene, sequence = film('outdoor', 'driving', 3)
    points = points_of(sequence, 0)
    seen = sequence.depth[0] > 0
    heights = torch.stack(
        [points @ torch.tensor(plane.normal).double() - plane.offset for plane in scene.planes]
    )
    near = (sequence.depth[0] < 20) & seen
    assert (heights.amin(0)[near] > -2e-3).all()
    assert 0.02 < (~seen).double().mean() < 0.8
    assert sequence.images[0][~seen].double().mean() > 60


@pytest.mark.parametrize('case', CASES)
def test_neighbouring_frames_agree(case):
    _, sequence = film(*case)
    errors, shared = [], []
    for frame in range(9):
        seen = sequence.depth[frame] > 0
        points = points_of(sequence, frame)[seen]
        pose = sequence.camera_from_world[frame + 1].double()
        local = points @ pose[:, :3].mT + pose[:, 3]
        image = local @ sequence.intrinsics[frame + 1].double().mT
        u, v = (image[:, :2] / image[:, 2:]).round().long().unbind(1)
        inside = (u >= 0) & (u < 112) & (v >= 0) & (v < 84) & (local[:, 2] > 0)
        found = sequence.depth[frame + 1][v[inside], u[inside]].double()
        errors.append(((found - local[inside, 2]).abs() / local[inside, 2]).median())
        shared.append(inside.double().mean())
    # Rounding to whole pixels leaves about a percent on ground seen aslant.
    assert torch.stack(errors).max() < 0.02
    assert torch.stack(shared).min() > 0.6


@pytest.mark.parametrize('case', CASES)
def test_cameras_keep_clear(case):
    scene, sequence = film(*case)
    places = centres(sequence.camera_from_world)
    assert signed_distance(scene.primitives, places).min() > 0.299
    lower, upper = scene.bounds
    assert (places[:, :2] > torch.tensor(lower)[:2]).all()
    assert (places[:, :2] < torch.tensor(upper)[:2]).all()


def test_rotation_stays_and_others_move():
    for kind, motion, seed in CASES:
        _, sequence = film(kind, motion, seed)
        steps = centres(sequence.camera_from_world).diff(dim=0).norm(dim=1)
        if motion == 'rotation':
            assert steps.max() < 0.02
            ahead = sequence.camera_from_world[:, 2, :3]
            assert (ahead[0] @ ahead[-1]).clamp(-1, 1).acos().rad2deg() > 2
        else:
            assert 0 < steps.max() < 0.6


def test_faster_means_farther():
    def length(speed):
        config = SequenceConfig(
            seed=3, frames=40, height=14, width=14, scene='room', motion='handheld', speed=speed
        )
        poses = render_sequence(config).camera_from_world
        return centres(poses).diff(dim=0).norm(dim=1).sum()

    assert length(2.0) > 1.4 * length(0.5)


@pytest.mark.parametrize('case', CASES)
def test_images_look_natural(case):
    _, sequence = film(*case)
    image = sequence.images.float() / 255
    assert 0.2 < image.mean() < 0.7
    assert image.std() > 0.05
    chroma = image.amax(-1) - image.amin(-1)
    assert chroma.mean() < 0.25
    across = image.diff(dim=2).abs().mean()
    assert 0.004 < across < 0.15


def test_same_seed_same_frames_other_seed_others():
    config = SequenceConfig(seed=11, frames=3, height=42, width=56)
    first, again = render_sequence(config), render_sequence(config)
    other = render_sequence(SequenceConfig(seed=12, frames=3, height=42, width=56))
    for name in ('images', 'depth', 'camera_from_world', 'intrinsics'):
        assert torch.equal(getattr(first, name), getattr(again, name))
        assert not torch.equal(getattr(first, name), getattr(other, name))


def test_camera_faults_change_images_but_not_the_truth():
    base = {'seed': 4, 'frames': 3, 'height': 42, 'width': 56, 'motion': 'handheld'}
    plain = render_sequence(SequenceConfig(sensor_noise=False, **base))
    for change in (
        {'sensor_noise': True},
        {'jpeg': True},
        {'motion_blur': True},
        {'samples_per_pixel': 3},
        {'shadows': False},
    ):
        other = render_sequence(SequenceConfig(**{'sensor_noise': False, **base, **change}))
        assert not torch.equal(plain.images, other.images), change
        assert torch.equal(plain.depth, other.depth), change
        assert torch.equal(plain.camera_from_world, other.camera_from_world), change


def test_blurred_images_do_not_lag_behind_the_truth():
    config = SequenceConfig(
        seed=2, scene='room', motion='rotation', speed=0.3, sensor_noise=False, **SMALL
    )
    sharp = render_sequence(replace(config, samples_per_pixel=4)).images.double()
    blurred = render_sequence(replace(config, motion_blur=True)).images.double()
    change = (sharp[2:] - sharp[:-2]) / 2
    # Least squares of blurred = sharp + lag * change, in frames.
    lag = (change * (blurred - sharp)[1:-1]).sum() / change.square().sum()
    assert lag == pytest.approx(0, abs=0.02)


def test_field_of_view_and_principal_point_are_as_asked():
    config = SequenceConfig(seed=1, frames=1, height=42, width=56, horizontal_fov=(70, 70))
    matrix = render_sequence(config).intrinsics[0]
    assert torch.rad2deg(2 * torch.atan(28 / matrix[0, 0])) == pytest.approx(70, abs=1e-3)
    assert matrix[0, 0] == matrix[1, 1]
    assert matrix[:2, 2].tolist() == [28, 21]
    shifted = SequenceConfig(seed=1, frames=1, height=42, width=56, principal_offset=0.2)
    assert render_sequence(shifted).intrinsics[0, 0, 2] != 28


def test_one_scene_serves_several_sequences():
    config = SequenceConfig(seed=1, frames=2, height=42, width=56, scene='room')
    scene = make_scene(config)
    other = SequenceConfig(seed=2, frames=2, height=42, width=56, scene='room')
    assert not torch.equal(
        render_sequence(config, scene=scene).depth, render_sequence(other, scene=scene).depth
    )
