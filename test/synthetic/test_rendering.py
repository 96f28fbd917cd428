# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from xstreamvggt_ros.synthetic import make_scene, render, SequenceConfig
from xstreamvggt_ros.synthetic.lighting import look_along

MATRIX = torch.tensor([[40.0, 0, 28], [0, 40.0, 21], [0, 0, 1]])


@pytest.fixture(scope='module')
def room():
    return make_scene(SequenceConfig(seed=3, scene='room'))


@pytest.fixture(scope='module')
def poses():
    views = [look_along((0.1, 0.0, 1.5), axis, 'cpu') for axis in ((1.0, 0, -0.1), (0, 1.0, 0))]
    return torch.stack(views)


def test_renders_given_cameras(room, poses):
    images, depth = render(room, poses, MATRIX, 42, 56)
    assert images.shape == (2, 42, 56, 3) and images.dtype == torch.uint8
    assert depth.shape == (2, 42, 56) and (depth > 0).all()
    assert not torch.equal(depth[0], depth[1])


def test_one_matrix_for_all_is_the_same_as_one_each(room, poses):
    shared = render(room, poses, MATRIX, 42, 56)
    each = render(room, poses, MATRIX.expand(2, 3, 3), 42, 56)
    assert torch.equal(shared[0], each[0]) and torch.equal(shared[1], each[1])


def test_depth_does_not_depend_on_the_frames_rendered_with_it(room, poses):
    _, both = render(room, poses, MATRIX, 42, 56)
    _, second = render(room, poses[1:], MATRIX, 42, 56)
    assert torch.allclose(both[1:], second, atol=1e-4)


def test_room_is_closed(room):
    axes = [(1.0, 0, 0.6), (-1.0, 0.2, 0.8), (0.1, 1.0, -0.9), (0.3, -1.0, 0.0)]
    poses = torch.stack([look_along((0.1, 0.0, 1.5), axis, 'cpu') for axis in axes])
    _, depth = render(room, poses, MATRIX, 42, 56)
    assert (depth > 0).all()


def test_wrong_shapes_are_refused(room, poses):
    with pytest.raises(ValueError, match=r'camera_from_world is \(3, 4\)'):
        render(room, poses[0], MATRIX, 42, 56)
    with pytest.raises(ValueError, match=r'give \(3, 3\) or \(2, 3, 3\)'):
        render(room, poses, MATRIX.expand(3, 3, 3), 42, 56)
