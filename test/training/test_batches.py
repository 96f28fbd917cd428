# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames drawn from rendered sequences stay true to their depth, poses and intrinsics."""

import numpy as np
import pytest
import torch

from xstreamvggt_ros.geometry import unproject, world_from_camera_points
from xstreamvggt_ros.training.augmentation import photometric
from xstreamvggt_ros.training.batches import draw_batch, draw_frames, mirrored, resized
from xstreamvggt_ros.training.config import Stage
from xstreamvggt_ros.training.shards import Sequence

HEIGHT, WIDTH = 36, 48
WALL = 3.0


def a_wall(frames=10):
    """Return a sequence that looks straight at a wall, sliding along it."""
    poses = torch.eye(3, 4).repeat(frames, 1, 1)
    poses[:, 0, 3] = torch.arange(frames) * 0.1
    return Sequence(
        torch.full((frames, HEIGHT, WIDTH, 3), 128, dtype=torch.uint8),
        torch.full((frames, HEIGHT, WIDTH), WALL).half(),
        poses,
        torch.tensor([[40.0, 0, WIDTH / 2], [0, 40, HEIGHT / 2], [0, 0, 1]]).repeat(frames, 1, 1),
    )


def parts(sequence):
    return sequence.images, sequence.depth, sequence.camera_from_world, sequence.intrinsics


@pytest.mark.parametrize('seed', range(20))
def test_frames_are_equally_spaced_and_within_the_sequence(seed):
    index = draw_frames(32, 5, (1, 6), np.random.default_rng(seed))
    assert len(index) == 5 and 0 <= index.min() and index.max() < 32
    assert len(set(np.diff(index))) == 1
    assert 1 <= abs(index[1] - index[0]) <= 6


def test_frames_run_both_ways():
    firsts = [draw_frames(8, 8, (1, 1), np.random.default_rng(seed))[0] for seed in range(20)]
    assert set(firsts) == {0, 7}


def test_more_frames_than_rendered_are_refused():
    with pytest.raises(ValueError, match='9 frames asked of sequences of 8'):
        draw_frames(8, 9, (1, 1), np.random.default_rng(0))


def test_resizing_keeps_rays_where_they_were():
    columns = torch.arange(WIDTH) * 0.01 + 1
    depth = columns.expand(1, HEIGHT, WIDTH)
    images, _, poses, intrinsics = (part[:1] for part in parts(a_wall()))
    _, small, _, fitted = resized(images, depth, poses, intrinsics, (12, 16))
    assert small.shape == (1, 12, 16)
    before, after = unproject(depth, intrinsics), unproject(small, fitted)
    # Every third pixel from the second on is the middle of one of the new ones.
    torch.testing.assert_close(after, before[:, 1::3, 1::3], rtol=1e-5, atol=1e-5)


def test_zoom_narrows_the_field_of_view_alone():
    _, depth, _, intrinsics = resized(*parts(a_wall()), (18, 24), zoom=0.5)
    assert (depth == WALL).all()
    torch.testing.assert_close(intrinsics[0, 0, 0].item(), 40.0)


def test_mirroring_mirrors_the_points():
    images, depth, poses, intrinsics = resized(*parts(a_wall()), (HEIGHT, WIDTH))
    depth = depth + 0.01 * torch.arange(WIDTH)
    points = world_from_camera_points(unproject(depth, intrinsics), poses)
    _, depth, poses, intrinsics = mirrored(images, depth, poses, intrinsics)
    flipped = world_from_camera_points(unproject(depth, intrinsics), poses)
    expected = points.flip(2) * torch.tensor([-1.0, 1, 1])
    torch.testing.assert_close(flipped, expected, rtol=1e-5, atol=1e-5)


def test_batch_has_one_of_the_shapes_and_follows_from_the_seed():
    stage = Stage(1.0, (14, 28), ((2, 3), (3, 2)), (1, 2))

    def batch(seed):
        return draw_batch(
            lambda rng: a_wall(), stage, np.random.default_rng(seed), torch.device('cpu')
        )

    shapes = {tuple(batch(seed).images.shape) for seed in range(10)}
    assert shapes == {(2, 3, 3, 14, 28), (3, 2, 3, 14, 28)}
    torch.testing.assert_close(batch(3).camera_from_world, batch(3).camera_from_world)


def test_photometric_changes_looks_within_range():
    images = torch.rand(2, 3, 3, 14, 14, generator=torch.Generator().manual_seed(0))
    changed = photometric(images, torch.Generator().manual_seed(1))
    assert changed.shape == images.shape
    assert changed.min() >= 0 and changed.max() <= 1
    assert (changed - images).abs().mean() > 0.01
    again = photometric(images, torch.Generator().manual_seed(1))
    torch.testing.assert_close(changed, again)
