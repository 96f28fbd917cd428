# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences held on the device, replaced as new ones are rendered."""

import time

import numpy as np
import pytest
import torch

from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training.draws import draw
from xstreamvggt_ros.training.pool import DevicePool
from xstreamvggt_ros.training.shards import ShardFolder

CPU = torch.device('cpu')


def sequence(value, frames=3, size=(4, 6)):
    images = torch.full((frames, *size, 3), value, dtype=torch.uint8)
    images[..., 0] += torch.arange(frames, dtype=torch.uint8)[:, None, None]
    depth = torch.full((frames, *size), value + 1.0).half()
    poses = torch.full((frames, 3, 4), float(value))
    return Sequence(images, depth, poses, torch.eye(3).repeat(frames, 1, 1))


def write(folder, number, *values, **shape):
    folder.write(f'{number:06d}', [sequence(value, **shape) for value in values])


@pytest.fixture
def pool(tmp_path, request):
    folder = ShardFolder(tmp_path)
    write(folder, 0, 10, 20)
    held = DevicePool(folder, CPU, *getattr(request, 'param', (5, 2)))
    held.start(lambda: None)
    yield folder, held
    held.close()


def until(condition, pool):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        pool.advance(0)
        time.sleep(0.01)


def colours(pool):
    drawn = draw(np.arange(pool.held), pool.frames, 1, (1, 1), np.random.default_rng(0))
    frames = pool.gather(drawn)
    assert (frames.depth[..., 0, 0] - 1 == frames.camera_from_world[..., 0, 0]).all()
    return frames.camera_from_world[:, 0, 0, 0].int().tolist()


def test_a_batch_is_the_frames_drawn(pool):
    _, pool = pool
    drawn = draw(np.array([1, 0, 1]), pool.frames, 2, (1, 1), np.random.default_rng(3))
    frames = pool.gather(drawn)
    assert frames.images.shape == (3, 2, 4, 6, 3)
    expected = torch.tensor([20, 10, 20])[:, None] + drawn.frame
    assert torch.equal(frames.images[:, :, 0, 0, 0], expected.byte())


def test_new_shards_are_taken_and_the_oldest_sequences_replaced(pool):
    folder, pool = pool
    assert colours(pool) == [10, 20]
    write(folder, 1, 30, 40)
    until(lambda: pool.held == 4, pool)
    assert colours(pool) == [10, 20, 30, 40]
    write(folder, 2, 50, 60)
    until(lambda: pool.held == 5, pool)
    assert colours(pool) == [60, 20, 30, 40, 50]
    assert set(pool.choose(100, np.random.default_rng(0))) == set(range(5))


def test_sequences_of_another_size_are_refused(pool):
    folder, pool = pool
    write(folder, 1, 30, size=(8, 6))
    with pytest.raises(ValueError, match=r'sequences of \(3, 8, 6, 3\) and of \(3, 4, 6, 3\)'):
        until(lambda: False, pool)


def test_a_folder_that_nobody_fills_is_said(tmp_path):
    pool = DevicePool(ShardFolder(tmp_path), CPU, 4, 2)
    asked = []
    with pytest.raises(TimeoutError, match='has 0 of 2 sequences after'):
        pool.start(lambda: asked.append(True), seconds=0.1)
    pool.close()
    assert asked


def test_the_one_who_waits_hears_that_renderers_have_failed(tmp_path):
    def failing():
        raise RuntimeError('every renderer has ended')

    pool = DevicePool(ShardFolder(tmp_path), CPU, 4, 2)
    with pytest.raises(RuntimeError, match='every renderer'):
        pool.start(failing)
    pool.close()
