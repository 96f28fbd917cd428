# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Alignment as far as the truth determines it."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.scores import absolute_error, relative_error
from xstreamvggt_ros.scores.pose_fit import fit_poses, PLACES, POSES
from xstreamvggt_ros.scores.trajectory import align_poses

turns = st.tuples(*[st.floats(-3, 3)] * 3)


def straight(frames=40, wobble=2e-3, seed=0):
    """Walk a metre along x, a few millimetres to the sides, and look about."""
    rng = np.random.default_rng(seed)
    places = rng.normal(size=(frames, 3)) * wobble
    places[:, 0] += np.linspace(0, 1, frames)
    looks = Rotation.from_rotvec(rng.normal(size=(frames, 3)) * 0.05).as_matrix()
    return np.stack([rigid(look, at) for look, at in zip(looks, places, strict=True)])


def noisy(poses, deviation, seed=1):
    moved = poses.copy()
    moved[:, :3, 3] += np.random.default_rng(seed).normal(size=(len(poses), 3)) * deviation
    return moved


@given(st.floats(0.1, 10), turns, turns)
@settings(max_examples=30, deadline=None)
def test_an_exact_estimate_fits_exactly_however_straight_the_path(scale, turn, shift):
    given_by = Similarity(scale, Rotation.from_rotvec(turn).as_matrix(), np.array(shift))
    for truth, by in ((straight(), POSES), (straight(wobble=0.3), PLACES)):
        fit = fit_poses(align_poses(truth, given_by), truth)
        assert fit.by == by
        assert fit.similarity.scale == pytest.approx(1 / scale)
        np.testing.assert_allclose(fit.similarity.rotation, given_by.rotation.T, atol=1e-6)


def test_noise_does_not_turn_the_world_about_a_straight_path():
    truth = straight()
    estimate = noisy(truth, 0.02)

    assert absolute_error(estimate, truth).rotation.rmse < 2
    assert absolute_error(estimate, truth, 'sim3').rotation.rmse > 10, 'as evo has it'


def test_an_error_as_wide_as_the_path_does_not_turn_the_world_either():
    """As it happens with few frames of a path that is six times as long as wide."""
    truth = straight(frames=12, wobble=0.08)
    for seed in range(20):
        estimate = noisy(truth, 0.1, seed)
        assert fit_poses(truth, truth).straightness > 0.1
        assert absolute_error(estimate, truth).rotation.rmse < 15


def test_orientations_alone_do_not_decide_where_places_do():
    truth = straight(wobble=0.3)
    estimate = truth.copy()
    # Cameras that all look a little to the side.
    estimate[:, :3, :3] = truth[:, :3, :3] @ Rotation.from_rotvec([0, 0, 0.2]).as_matrix()

    found = absolute_error(estimate, truth)

    assert found.aligned_by == PLACES
    assert found.translation.rmse == pytest.approx(0, abs=1e-9)
    assert found.rotation.rmse == pytest.approx(np.degrees(0.2))


@pytest.mark.parametrize(
    ('truth', 'reason'),
    [
        (straight()[:2], '2 poses of both are known'),
        (np.repeat(straight()[:1], 30, axis=0), 'does not move'),
        (noisy(np.repeat(straight()[:1], 30, axis=0), 1e-4), 'does not move'),
    ],
)
def test_what_the_truth_does_not_determine_is_no_figure(truth, reason):
    estimate = noisy(truth, 0.1)
    found, relative = absolute_error(estimate, truth), relative_error(estimate, truth)

    assert found.aligned_by == ''
    assert reason in found.reason
    assert np.isnan([found.translation.rmse, found.rotation.rmse, *found.errors]).all()
    assert np.isnan(relative.translation.rmse)
    # That needs no alignment.
    assert relative.rotation.rmse == pytest.approx(0, abs=1e-6)


def test_an_estimate_that_stands_still_is_as_wrong_as_the_path_is_wide():
    truth = straight()
    found = absolute_error(np.repeat(truth[:1], len(truth), axis=0), truth)

    spread = np.sqrt(((truth[:, :3, 3] - truth[:, :3, 3].mean(0)) ** 2).sum(1).mean())
    assert found.translation.rmse == pytest.approx(spread)


def test_a_real_walk_that_is_nearly_straight_is_not_turned_over(shared_data):
    folder = shared_data / '7scenes'
    truth = np.stack([np.loadtxt(folder / f'frame-{i:06d}.pose.txt') for i in range(320, 360)])
    worst = {
        alignment: max(
            absolute_error(noisy(truth, 0.02, seed), truth, alignment).rotation.rmse
            for seed in range(8)
        )
        for alignment in ('determined', 'sim3')
    }

    assert fit_poses(truth, truth).straightness < 0.1
    assert worst['determined'] < 4
    assert worst['sim3'] > 20
