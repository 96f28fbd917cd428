# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clouds: distances and normals of known shapes, and what an alignment makes up for."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.geometry.umeyama import fit_points, move
from xstreamvggt_ros.scores import PointProtocol, score_points
from xstreamvggt_ros.scores.points import normals_of

AS_IT_IS = PointProtocol('none', neighbours=8)


def plane(height=0.0, side=30, spacing=0.02):
    """Return points (N, 3) of a level grid."""
    x, y = np.meshgrid(np.arange(side) * spacing, np.arange(side) * spacing)
    return np.stack([x.ravel(), y.ravel(), np.full(side * side, height)], axis=1)


def corner():
    """Return points of three planes that meet, which leave an alignment no freedom."""
    flat = plane()
    return np.concatenate([flat, flat[:, [2, 0, 1]], flat[:, [1, 2, 0]]])


@pytest.mark.parametrize('height', [0.005, 0.3])
def test_parallel_planes_are_their_distance_apart(height):
    score = score_points(plane(height), plane(), AS_IT_IS)
    for figure in (score.accuracy, score.completeness):
        assert figure.mean == pytest.approx(height)
        assert figure.median == pytest.approx(height)
    assert score.normal_consistency.mean == pytest.approx(1)
    assert (score.predicted, score.true) == (900, 900)


def test_accuracy_is_of_the_prediction_and_completeness_of_the_truth():
    truth = plane()
    half = truth[truth[:, 0] < 0.3 - 1e-9]
    score = score_points(half, truth, AS_IT_IS)
    assert score.accuracy.mean == pytest.approx(0)
    # Columns 1 to 15 of 0.02 m away from the half that is there, of 30.
    assert score.completeness.mean == pytest.approx(0.02 * np.arange(1, 16).sum() / 30)
    mirrored = score_points(truth, half, AS_IT_IS)
    assert mirrored.accuracy == score.completeness
    assert mirrored.completeness == score.accuracy


def test_normals_are_compared_by_their_angle_without_a_sign():
    turned = plane() @ Rotation.from_euler('x', 60, degrees=True).as_matrix().T
    score = score_points(turned, plane(), AS_IT_IS)
    assert score.normal_consistency.mean == pytest.approx(0.5)
    assert score.normal_consistency.median == pytest.approx(0.5)


def test_normals_of_a_sphere_point_away_from_its_centre():
    points = np.random.default_rng(0).normal(size=(5000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    normals = normals_of(cKDTree(points), 20)
    assert np.abs((normals * points).sum(1)).mean() > 0.999


@given(
    st.floats(0.2, 5),
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.tuples(*[st.floats(-3, 3)] * 3),
)
@settings(max_examples=20, deadline=None)
def test_a_similarity_of_the_prediction_is_made_up_for(scale, turn, shift):
    truth = corner()
    similarity = Similarity(scale, Rotation.from_rotvec(turn).as_matrix(), np.array(shift))
    for alignment in ('sim3', 'sim3+icp'):
        score = score_points(move(truth, similarity), truth, PointProtocol(alignment))
        assert score.accuracy.mean == pytest.approx(0, abs=1e-8)
        assert score.completeness.mean == pytest.approx(0, abs=1e-8)
        assert score.similarity.scale * scale == pytest.approx(1)


def test_icp_brings_a_shifted_cloud_back_without_pairs():
    truth = corner()
    shuffled = np.random.default_rng(0).permutation(truth)[:2000]
    turn = Rotation.from_rotvec([0.01, -0.02, 0.015]).as_matrix()
    moved = move(shuffled, Similarity(1.0, turn, np.array([0.004, -0.003, 0.005])))
    before = score_points(moved, truth, AS_IT_IS)
    after = score_points(moved, truth, PointProtocol('icp'))
    assert before.accuracy.mean > 0.003
    assert after.accuracy.mean < 1e-6
    assert after.similarity.scale == pytest.approx(1)


def test_icp_passes_over_what_is_too_far():
    truth = corner()
    stray = np.concatenate([truth, truth[:50] + 5.0])
    score = score_points(stray, truth, PointProtocol('icp'))
    np.testing.assert_allclose(score.similarity.translation, 0, atol=1e-6)
    assert score.accuracy.median == pytest.approx(0, abs=1e-9)
    assert score.accuracy.mean > 0.1


def test_pairs_of_some_pixels_align_whole_clouds():
    truth = corner()
    similarity = Similarity(0.5, np.eye(3), np.array([1.0, 0.0, 0.0]))
    predicted = move(truth, similarity)
    pairs = predicted[::7], truth[::7]
    score = score_points(predicted[:1000], truth, PointProtocol('sim3'), pairs)
    assert score.accuracy.mean == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match='give `pairs`'):
        score_points(predicted[:1000], truth, PointProtocol('sim3'))


def test_points_that_are_not_finite_are_left_out():
    truth = corner()
    predicted = truth.copy()
    predicted[::3] = np.nan
    score = score_points(predicted, truth)
    assert score.predicted == 1800
    assert score.accuracy.mean == pytest.approx(0, abs=1e-9)


def test_a_draw_is_the_same_for_the_same_seed():
    rng = np.random.default_rng(0)
    truth = corner()
    noisy = truth + rng.normal(size=truth.shape) * 0.002
    few = {'alignment': 'none', 'max_points': 500}
    first, again, other = (
        score_points(noisy, truth, PointProtocol(**few, seed=seed)) for seed in (1, 1, 2)
    )
    assert first.predicted == first.true == 500
    assert first.accuracy == again.accuracy
    assert first.normal_consistency == again.normal_consistency
    assert first.accuracy != other.accuracy


def test_an_empty_cloud_has_no_figures():
    score = score_points(np.empty((0, 3)), plane(), AS_IT_IS)
    assert np.isnan(score.accuracy.mean)
    assert score.predicted == 0


@pytest.mark.parametrize(
    'options', [{'alignment': 'umeyama'}, {'icp_distance': 0}, {'max_points': 0}]
)
def test_an_unknown_protocol_is_refused(options):
    with pytest.raises(ValueError, match='|'.join(options)):
        PointProtocol(**options)


def test_a_mirrored_cloud_is_not_mirrored_back():
    points = np.random.default_rng(0).normal(size=(50, 3))
    found = fit_points(points, points * [1, 1, -1])
    assert np.linalg.det(found.rotation) == pytest.approx(1)
    with pytest.raises(ValueError, match='above 0'):
        fit_points(points[:0], points[:0])


def test_normal_consistency_counts_both_ways_alike():
    # Half of the prediction stands upright, far off: one way is 0.5, the other 1.
    upright = plane()[:, [2, 0, 1]] + [0.0, 0.0, 2.0]
    score = score_points(np.concatenate([plane(), upright]), plane(), AS_IT_IS)
    assert score.normal_consistency.mean == pytest.approx(0.75)
