# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is nearest in time, and what is too far."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from xstreamvggt_ros.files.stamped_poses import nearest_stamps, StampedPoses
from xstreamvggt_ros.files.trajectories import Trajectory

stamps = st.lists(st.integers(-(10**6), 10**6), max_size=30, unique=True)


@given(stamps, stamps, st.integers(0, 10**6))
def test_the_nearest_within_the_tolerance_is_found(known, wanted, tolerance):
    known = np.array(sorted(known), dtype=np.int64)
    found = nearest_stamps(known, np.array(wanted, dtype=np.int64), tolerance)
    for stamp, index in zip(wanted, found, strict=True):
        gaps = np.abs(known - stamp)
        if index < 0:
            assert not (gaps <= tolerance).any()
        else:
            assert gaps[index] == gaps.min() <= tolerance


def test_of_two_as_near_the_earlier_is_taken_and_the_tolerance_counts():
    assert nearest_stamps(np.array([10, 20]), np.array([15, 25, 26]), 5).tolist() == [0, 1, -1]


def test_stamps_beyond_what_a_float_holds_are_told_apart():
    start = 1_700_000_000_000_000_000
    known = np.array([start, start + 1, start + 2])
    assert nearest_stamps(known, known, 0).tolist() == [0, 1, 2]


def test_lines_that_are_no_pose_are_left_out_and_the_last_of_a_stamp_holds():
    turns = np.array([[0, 0, 0, 1.0], [0, 0, 0, 0], [0, 0, np.nan, 1], [0, 0, 2, 0], [0, 0, 1, 1]])
    places = np.arange(15.0).reshape(5, 3)
    track = StampedPoses.of_trajectory(Trajectory(np.array([9, 2, 3, 4, 9]), places, turns))
    assert track.stamps_ns.tolist() == [4, 9]
    np.testing.assert_allclose(track.nearest(5, 1)[:3, :3], np.diag([-1, -1, 1]), atol=1e-15)
    np.testing.assert_array_equal(track.nearest(9, 0)[:3, 3], [12, 13, 14])
    assert track.nearest(6, 1) is None


@pytest.mark.parametrize('tolerance', [0, 10**12])
def test_no_poses_give_none(tolerance):
    assert StampedPoses.sorted([], []).nearest(5, tolerance) is None
