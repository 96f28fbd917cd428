# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames drawn from rendered sequences stay true to their depth, poses and intrinsics."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from xstreamvggt_ros.geometry import unproject, world_from_camera_points
from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training.augmentation import photometric
from xstreamvggt_ros.training.batches import make_batch
from xstreamvggt_ros.training.draws import Draw, draw, draw_frames

HEIGHT, WIDTH = 36, 48
WALL = 3.0


def a_wall(count=1, frames=1, depth=None):
    """Return sequences that look straight at a wall, sliding along it."""
    poses = torch.eye(3, 4).repeat(count, frames, 1, 1)
    poses[..., 0, 3] = torch.arange(frames) * 0.1
    depth = torch.full((HEIGHT, WIDTH), WALL) if depth is None else depth
    intrinsics = torch.tensor([[40.0, 0, WIDTH / 2], [0, 40, HEIGHT / 2], [0, 0, 1]])
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (count, frames, HEIGHT, WIDTH, 3), generator=generator)
    return Sequence(
        images.byte(),
        depth.expand(count, frames, HEIGHT, WIDTH),
        poses,
        intrinsics.expand(count, frames, 3, 3),
    )


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
    depth = (torch.arange(WIDTH) * 0.01 + 1).expand(HEIGHT, WIDTH)
    wall = a_wall(depth=depth)
    small = make_batch(wall, (12, 16))
    assert small.depth.shape == (1, 1, 12, 16)
    before = unproject(wall.depth, wall.intrinsics)
    after = unproject(small.depth, small.intrinsics)
    # Every third pixel from the second on is the middle of one of the new ones.
    torch.testing.assert_close(after, before[:, :, 1::3, 1::3], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('size', [(12, 16), (36, 48), (14, 28), (42, 56)])
def test_colours_are_those_of_torchs_antialiased_filter_whatever_the_crop(size):
    zooms = torch.tensor([0.8, 0.913, 1.0], dtype=torch.float64)
    wall = a_wall(count=3, frames=2)
    batch = make_batch(wall, size, zooms)
    for zoom, images, found in zip(zooms.tolist(), wall.images, batch.images, strict=True):
        share = zoom * min(HEIGHT / size[0], WIDTH / size[1])
        rows, columns = round(size[0] * share), round(size[1] * share)
        top, left = (HEIGHT - rows) // 2, (WIDTH - columns) // 2
        crop = images[:, top : top + rows, left : left + columns].permute(0, 3, 1, 2) / 255
        expected = functional.interpolate(crop, size, mode='bilinear', antialias=True)
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_zoom_narrows_the_field_of_view_alone():
    batch = make_batch(a_wall(), (18, 24), torch.tensor([0.5], dtype=torch.float64))
    assert (batch.depth == WALL).all()
    assert batch.intrinsics[0, 0, 0, 0].item() == pytest.approx(40.0)


def test_mirroring_mirrors_the_points_and_the_image_of_its_sequence_alone():
    wall = a_wall(count=2, frames=3, depth=WALL + 0.01 * torch.arange(WIDTH).expand(HEIGHT, -1))
    plain = make_batch(wall, (HEIGHT, WIDTH))
    mirrored = make_batch(wall, (HEIGHT, WIDTH), mirrored=torch.tensor([False, True]))
    before, after = (
        world_from_camera_points(unproject(batch.depth, batch.intrinsics), batch.camera_from_world)
        for batch in (plain, mirrored)
    )
    torch.testing.assert_close(after[0], before[0])
    expected = before[1].flip(2) * torch.tensor([-1.0, 1, 1])
    torch.testing.assert_close(after[1], expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(mirrored.images[1], plain.images[1].flip(-1))


def a_draw(seed, count=2, frames=3):
    return draw(np.arange(count), 8, frames, (1, 2), np.random.default_rng(seed))


def test_a_draw_survives_its_transfer_and_follows_from_the_seed():
    drawn = a_draw(0)
    assert drawn.shape == (2, 3)
    again = Draw.from_flat(drawn.flat(), (2, 3))
    for name, value in vars(drawn).items():
        assert torch.equal(getattr(again, name), value), name
    assert torch.equal(a_draw(0).flat(), drawn.flat())
    assert not torch.equal(a_draw(1).flat(), drawn.flat())
    assert sorted(drawn.order.tolist()) == list(range(6))


def test_photometric_changes_looks_within_range():
    images = torch.rand(2, 3, 3, 14, 14, generator=torch.Generator().manual_seed(0))
    changed = photometric(images, a_draw(1), torch.Generator().manual_seed(1))
    assert changed.shape == images.shape
    assert changed.min() >= 0 and changed.max() <= 1
    assert (changed - images).abs().mean() > 0.01
    again = photometric(images, a_draw(1), torch.Generator().manual_seed(1))
    torch.testing.assert_close(changed, again)
