# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Similarities as a snapshot has them."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
import torch

from xstreamvggt_ros.geometry.similarity import Similarity

TURNED = Rotation.from_euler('xyz', (0.3, -1.2, 2.0)).as_matrix()
SAVED = Similarity(0.25, TURNED, np.array([1.0, -2.0, 3e4]))


def test_what_was_saved_comes_back_to_the_bit():
    back = Similarity.from_state(SAVED.state())
    assert back.scale == SAVED.scale
    assert np.array_equal(back.rotation, SAVED.rotation)
    assert np.array_equal(back.translation, SAVED.translation)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
@pytest.mark.parametrize('index', range(13))
def test_numbers_that_are_not_finite_are_refused(index, value):
    state = SAVED.state()
    state[index] = value
    with pytest.raises(ValueError, match='13 finite numbers'):
        Similarity.from_state(state)


@pytest.mark.parametrize(
    'state', [torch.zeros(12), torch.zeros(0), torch.zeros(13, 1), torch.tensor(1.0)]
)
def test_another_shape_is_refused(state):
    with pytest.raises(ValueError, match='13 finite numbers'):
        Similarity.from_state(state)


@pytest.mark.parametrize('scale', [0.0, -1.0, 1e-12, 1e12])
def test_a_scale_that_is_none_is_refused(scale):
    with pytest.raises(ValueError, match='a scale above 0'):
        Similarity.from_state(Similarity(scale, TURNED).state())


@pytest.mark.parametrize('place', [1e10, -1e39, 1e300])
def test_a_place_that_single_precision_cannot_tell_or_hold_is_refused(place):
    lie = Similarity(1.0, TURNED, np.array([0.0, place, 0.0]))
    with pytest.raises(ValueError, match='a saved similarity moves by'):
        Similarity.from_state(lie.state())


def test_another_shape_is_refused_before_it_is_copied():
    with pytest.raises(ValueError, match='13 finite numbers'):
        Similarity.from_state(torch.zeros(1).expand(10**12))


@pytest.mark.parametrize(
    'rotation',
    [np.zeros((3, 3)), -TURNED, 1.01 * TURNED, np.diag([1.0, 1.0, -1.0]), np.ones((3, 3))],
    ids=['zeros', 'point reflection', 'stretched', 'mirror', 'ones'],
)
def test_what_is_no_rotation_is_refused(rotation):
    with pytest.raises(ValueError, match='and a rotation'):
        Similarity.from_state(Similarity(1.0, rotation).state())
