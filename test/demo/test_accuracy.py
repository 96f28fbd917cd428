# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A run against the truth that its input knows."""

import numpy as np
import pytest

from xstreamvggt_ros.demo.accuracy import measure
from xstreamvggt_ros.demo.results import Check, Maps, Results
from xstreamvggt_ros.files.ply import PlyCloud
from xstreamvggt_ros.files.trajectories import Trajectory
from xstreamvggt_ros.inputs.frames import FrameSource, Sample

STAMPS = [10, 20, 30, 40]


class Wall(FrameSource):
    """Four images of a wall from a camera that goes round a square of 1 m."""

    title, topic = 'wall', '/image'

    def frames(self):
        raise NotImplementedError

    def samples(self, stamps_ns):
        for stamp in sorted(stamps_ns):
            depth = np.full((28, 28), 2.0, np.float32)
            depth[:14] = 4.0
            yield Sample(stamp, None, depth)

    def true_poses(self, stamps_ns):
        places = dict(zip(STAMPS, [(0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)], strict=True))
        poses = {stamp: np.eye(4) for stamp in stamps_ns}
        for stamp, pose in poses.items():
            pose[:3, 3] = places[stamp]
        return poses


class Unknown(Wall):
    """The same without poses."""

    def true_poses(self, stamps_ns):
        return {}


def _results(positions, depth):
    positions = np.array(positions, dtype=np.float64).reshape(-1, 3)
    stamps = np.array(STAMPS[: len(positions)])
    maps = {stamp: Maps(depth, np.ones_like(depth)) for stamp in STAMPS[:2]}
    cloud = PlyCloud(np.empty((0, 3)), np.empty((0, 3)))
    return Results(Check(), Trajectory(stamps, positions, np.zeros((len(stamps), 4))), cloud, maps)


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
    assert accuracy.abs_rel == pytest.approx(0.0)


def test_undistorted_depth_and_a_truth_without_poses_are_not_compared():
    results = _results(SQUARE, _depth())
    assert np.isnan(measure(Wall(), results, 'optical', distorted=True).abs_rel)
    assert measure(Unknown(), results, 'optical') is None
