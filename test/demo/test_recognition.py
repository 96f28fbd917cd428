# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A result that means nothing says so."""

import numpy as np
import pytest

from xstreamvggt_ros.demo.recognition import doubts
from xstreamvggt_ros.demo.results import Check, Maps, Results
from xstreamvggt_ros.files.ply import PlyCloud
from xstreamvggt_ros.files.trajectories import Trajectory


def results(confidence, way, depth=2.0):
    positions = np.linspace([0, 0, 0], [way, 0, 0], 20)
    shown = Maps(np.full((14, 28), depth, np.float32), np.full((14, 28), confidence, np.float32))
    cloud = PlyCloud(np.empty((0, 3)), np.empty((0, 3), np.uint8))
    return Results(
        Check(), Trajectory(np.arange(20), positions, None), cloud, {1: shown, 2: shown}
    )


def test_a_sound_result_raises_no_doubt():
    assert doubts(results(confidence=1.8, way=0.5)) == []


def test_confidence_at_its_floor_is_said_with_the_figure():
    (said,) = doubts(results(confidence=1.004, way=0.5))
    assert 'does not recognise this' in said and '1.004' in said


def test_a_path_of_centimetres_is_said_with_the_figure():
    (said,) = doubts(results(confidence=1.8, way=0.01))
    assert '0.5 % of the depth' in said and 'if the camera moved' in said


@pytest.mark.parametrize('unit', [0.01, 1.0, 100.0])
def test_the_network_s_unit_of_length_does_not_matter(unit):
    assert doubts(results(1.8, 0.5 * unit, 2.0 * unit)) == []
    assert len(doubts(results(1.8, 0.01 * unit, 2.0 * unit))) == 1


def test_nothing_is_said_of_no_result():
    nothing = Trajectory(np.empty(0), np.empty((0, 3)), np.empty((0, 4)))
    cloud = PlyCloud(np.empty((0, 3)), np.empty((0, 3), np.uint8))
    assert doubts(Results(Check(), nothing, cloud, {})) == []
