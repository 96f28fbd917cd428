# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground under a camera, found in its points."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.scale.ground_plane import camera_height_above_ground


def scene(height=1.0, pitch=0.0, roll=0.0, seed=0):
    """Scatter points on the ground and on a wall behind it, in the frame of a tilted camera."""
    rng = np.random.default_rng(seed)
    ground = np.column_stack(
        [rng.uniform(-3, 3, 3000), np.full(3000, height), rng.uniform(0.5, 6, 3000)]
    )
    wall = np.column_stack(
        [rng.uniform(-3, 3, 2000), rng.uniform(height - 3, height, 2000), np.full(2000, 6.0)]
    )
    points = np.concatenate([ground, wall])
    return Rotation.from_euler('xz', [pitch, roll], degrees=True).apply(points)


def measured(points):
    return camera_height_above_ground(points, np.random.default_rng(0))


@settings(deadline=None, max_examples=30)
@given(st.floats(0.05, 50), st.floats(-25, 25), st.floats(-25, 25), st.integers(0, 99))
def test_the_height_is_found_in_any_unit_under_any_tilt_of_an_upright_camera(
    unit, pitch, roll, seed
):
    points = unit * scene(pitch=pitch, roll=roll, seed=seed)
    assert measured(points) == pytest.approx(unit, rel=0.01)


@pytest.mark.parametrize('tilt', [{'pitch': 60}, {'roll': 75}, {'roll': 180}])
def test_a_camera_that_is_not_upright_sees_no_ground(tilt):
    assert measured(scene(**tilt)) is None


def test_a_table_does_not_pass_for_the_ground():
    rng = np.random.default_rng(1)
    table = np.column_stack(
        [rng.uniform(-1, 1, 3500), np.full(3500, 0.4), rng.uniform(0.5, 2, 3500)]
    )
    assert measured(np.concatenate([scene(), table])) == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize('count', [0, 2])
def test_too_few_points_make_no_ground(count):
    assert measured(np.ones((count, 3))) is None
    assert measured(np.full((100, 3), np.nan)) is None


def test_points_all_alike_make_no_ground():
    with np.errstate(all='raise'):
        assert measured(np.ones((100, 3))) is None


def test_a_plane_with_much_beneath_it_is_no_ground():
    rng = np.random.default_rng(2)
    balcony = np.column_stack(
        [rng.uniform(-1, 1, 3000), np.full(3000, 1.0), rng.uniform(0.5, 2, 3000)]
    )
    rubble = rng.uniform([-5, 2, 3], [5, 9, 20], (2000, 3))
    assert measured(balcony) == pytest.approx(1.0, rel=0.01)
    assert measured(np.concatenate([balcony, rubble])) is None
