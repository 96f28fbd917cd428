# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where tracking is lost, and what is no loss."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.scores import (
    lost_at,
    success_rate,
    tracked_share,
    TrackingCriterion,
)
from xstreamvggt_ros.scores.trajectory import align_poses

FRAMES = 100


def circle():
    """Return poses (F, 4, 4) along a circle of 2 m, 6 cm a frame."""
    angles = np.arange(FRAMES) * 0.03
    turns = Rotation.from_rotvec(angles[:, None] * [[0, 1.0, 0]]).as_matrix()
    places = 2 * np.stack([np.cos(angles), 0 * angles, np.sin(angles)], axis=1)
    return np.stack([rigid(turn, at) for turn, at in zip(turns, places, strict=True)])


@given(st.floats(0.05, 20), st.tuples(*[st.floats(-3, 3)] * 3))
@settings(max_examples=20, deadline=None)
def test_the_truth_in_another_world_and_unit_is_not_lost(scale, turn):
    similarity = Similarity(scale, Rotation.from_rotvec(turn).as_matrix(), np.ones(3))
    assert lost_at(align_poses(circle(), similarity), circle()) is None


def test_slow_drift_is_no_loss():
    estimate = circle()
    estimate[:, :3, 3] += np.arange(FRAMES)[:, None] * 0.01
    assert lost_at(estimate, circle()) is None


@pytest.mark.parametrize('frame', [5, 40, 99])
def test_a_jump_is_a_loss_at_its_frame(frame):
    estimate = circle()
    estimate[frame:, :3, 3] += 30.0
    assert lost_at(estimate, circle()) == frame


def test_a_wrong_turn_is_a_loss():
    estimate = circle()
    turn = Rotation.from_rotvec([0, 0, np.radians(30)]).as_matrix()
    estimate[50:, :3, :3] = estimate[50:, :3, :3] @ turn
    assert lost_at(estimate, circle()) == 50
    assert lost_at(estimate, circle(), TrackingCriterion(degrees=31)) is None


def test_a_camera_that_stands_still_on_the_way_is_lost():
    estimate = circle()
    estimate[60:] = estimate[60]
    lost = lost_at(estimate, circle())
    assert 60 < lost <= 70


def test_a_single_bad_frame_is_no_loss():
    estimate = circle()
    estimate[50, :3, 3] += 30.0
    assert lost_at(estimate, circle()) is None


def test_a_single_bad_frame_at_the_beginning_is_no_loss():
    estimate = circle()
    estimate[0, :3, 3] += 30.0
    assert lost_at(estimate, circle()) is None
    estimate[0] = np.nan
    assert lost_at(estimate, circle()) is None


def test_poses_that_end_within_the_first_window_are_a_loss_where_they_end():
    estimate = circle()
    estimate[4:] = np.nan
    assert lost_at(estimate, circle()) == 4


def test_poses_that_end_are_a_loss_where_they_end():
    estimate = circle()
    estimate[70:] = np.nan
    assert lost_at(estimate, circle()) == 70
    assert lost_at(np.full_like(circle(), np.nan), circle()) == 0


def test_frames_whose_truth_is_unknown_are_passed_over():
    truth = circle()
    truth[30:40] = np.nan
    assert lost_at(circle(), truth) is None
    estimate = circle()
    estimate[70:] = np.nan
    assert lost_at(estimate, truth) == 70
    assert lost_at(circle(), np.full_like(truth, np.nan)) is None


def test_short_sequences_use_all_that_they_have():
    estimate = circle()[:4]
    assert lost_at(estimate, circle()[:4]) is None
    estimate = estimate.copy()
    estimate[3, :3, :3] = estimate[3, :3, :3].T
    assert lost_at(estimate, circle()[:4], TrackingCriterion(degrees=5)) == 3


def test_rates_are_shares():
    assert tracked_share(None, 100) == 1
    assert tracked_share(25, 100) == 0.25
    assert np.isnan(tracked_share(None, 0))
    assert success_rate([None, 3, None, None]) == 0.75
    assert np.isnan(success_rate([]))


@pytest.mark.parametrize('options', [{'window': 0}, {'sustained': 0}, {'metres': -1}])
def test_an_impossible_criterion_is_refused(options):
    with pytest.raises(ValueError, match='|'.join(options)):
        TrackingCriterion(**options)
