# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames of /tf where they are in the map."""

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.view.contents import Pose
from xstreamvggt_ros.view.frames import Frames, MOST_FRAMES

TURN = Rotation.from_euler('z', 90, degrees=True).as_quat()


def test_poses_are_composed_down_to_the_map():
    frames = Frames()
    frames.put('camera', 'base', Pose(np.array([1.0, 0, 0]), TURN))
    assert set(frames.in_map()) == {'map'}
    frames.put('base', 'odom', Pose(np.array([0.0, 0, 2]), TURN))
    frames.put('odom', 'map', Pose(np.array([5.0, 0, 0]), np.array([0.0, 0, 0, 1])))
    found = frames.in_map()
    assert set(found) == {'map', 'odom', 'base', 'camera'}
    np.testing.assert_allclose(found['camera'].position, [5, 1, 2], atol=1e-9)
    half = Rotation.from_quat(found['camera'].quaternion).as_euler('xyz', degrees=True)
    np.testing.assert_allclose(np.abs(half[2]), 180, atol=1e-6)


def test_a_circle_leads_nowhere_and_names_without_end_are_not_kept():
    frames = Frames()
    here = Pose(np.zeros(3), np.array([0.0, 0, 0, 1]))
    frames.put('a', 'b', here)
    frames.put('b', 'a', here)
    assert set(frames.in_map()) == {'map'}
    for index in range(10 * MOST_FRAMES):
        frames.put(f'frame_{index}', 'map', here)
    assert len(frames.in_map()) <= MOST_FRAMES + 1
