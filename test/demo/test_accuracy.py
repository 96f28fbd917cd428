# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A run against the truth that its input knows."""

import numpy as np
import pytest

from xstreamvggt_ros.demo.accuracy import measure
from xstreamvggt_ros.demo.results import Check, Maps, Results
from xstreamvggt_ros.files.ply import PlyCloud
from xstreamvggt_ros.files.trajectories import Trajectory
from xstreamvggt_ros.inputs import FrameTruth, SequenceFrame

STAMPS = [10, 20, 30, 40]


class Wall:
    """Four images of a wall from a camera that goes round a square of 1 m."""

    places = [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)]

    @property
    def frames(self):
        return [SequenceFrame(stamp, '', None, None, self._truth(stamp)) for stamp in STAMPS]

    def _truth(self, stamp):
        depth = np.full((28, 28), 2.0, np.float32)
        depth[:14] = 4.0
        return lambda: FrameTruth(depth, self._pose(stamp))

    def _pose(self, stamp):
        pose = np.eye(4)
        pose[:3, 3] = self.places[STAMPS.index(stamp)]
        return pose


class Unknown(Wall):
    """The same without poses."""

    def _pose(self, stamp):
        return None


class Late(Wall):
    """The same, but where the first image was taken is not known."""

    def _pose(self, stamp):
        return None if stamp == STAMPS[0] else super()._pose(stamp)


def _results(positions, depth):
    positions = np.array(positions, dtype=np.float64).reshape(-1, 3)
    stamps = np.array(STAMPS[: len(positions)])
    maps = {stamp: Maps(depth, np.ones_like(depth)) for stamp in STAMPS[:2]}
    cloud = PlyCloud(np.empty((0, 3)), np.empty((0, 3)))
    ahead = np.tile([0.0, 0.0, 0.0, 1.0], (len(stamps), 1))
    return Results(Check(), Trajectory(stamps, positions, ahead), cloud, maps)


def _depth():
    depth = np.full((14, 14), 1.0, np.float32)
    depth[:7] = 2.0
    return depth


SQUARE = [(0, 0, 0), (3, 0, 0), (3, 0, 3), (0, 0, 3)]


def test_a_result_that_is_right_but_for_its_scale_has_no_error():
    accuracy = measure(Wall(), _results(SQUARE, _depth()), 'optical')
    assert accuracy.ate == pytest.approx(0.0, abs=1e-9)
    assert accuracy.path_length == pytest.approx(3.0)
    assert accuracy.similarity.scale == pytest.approx(1 / 3)
    assert (accuracy.abs_rel, accuracy.images) == (pytest.approx(0.0), 2)


def test_what_is_wrong_is_measured():
    bent = [*SQUARE[:3], (0, 2, 3)]
    depth = _depth()
    depth[7:, :7] = 1.5
    accuracy = measure(Wall(), _results(bent, depth), 'optical')
    assert 0.05 < accuracy.ate < 0.5
    # The median stays: a quarter of the pixels is half as far again.
    assert accuracy.abs_rel > 0.1


def test_without_a_path_nothing_is_aligned():
    accuracy = measure(Wall(), _results(SQUARE[:2], _depth()), 'optical')
    assert accuracy.similarity is None and np.isnan(accuracy.ate)
    assert '2 poses' in accuracy.reason
    assert accuracy.abs_rel == pytest.approx(0.0)


def test_a_path_that_is_nearly_straight_is_aligned_by_orientations_too():
    class Corridor(Wall):
        places = [(0, 0, 0), (0.01, 0, 1), (0, 0.01, 2), (0, 0, 3)]

    accuracy = measure(Corridor(), _results(Corridor.places, _depth()), 'optical')
    assert accuracy.aligned_by == 'places and orientations'
    assert measure(Wall(), _results(SQUARE, _depth()), 'optical').aligned_by == 'places'


def test_undistorted_depth_and_a_truth_without_poses_are_not_compared():
    results = _results(SQUARE, _depth())
    assert np.isnan(measure(Wall(), results, 'optical', distorted=True).abs_rel)
    assert measure(Unknown(), results, 'optical') is None


def test_a_truth_that_begins_late_is_compared_from_there_on():
    accuracy = measure(Late(), _results(SQUARE, _depth()), 'optical')
    assert len(accuracy.true_path) == 3
    assert accuracy.ate == pytest.approx(0.0, abs=1e-9)
