# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Velocities and uncertainties from poses and depth."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.world.motion import body_twist


def test_the_twist_takes_one_pose_to_the_next():
    before = rigid(Rotation.from_euler('xyz', [0.3, -0.2, 1.0]).as_matrix(), np.array([1, 2, 3]))
    after = rigid(Rotation.from_euler('xyz', [0.4, -0.1, 1.2]).as_matrix(), np.array([2, 1, 5]))

    twist = body_twist(before, after, 0.25)

    turned = before[:3, :3] @ Rotation.from_rotvec(0.25 * twist[3:]).as_matrix()
    np.testing.assert_allclose(turned, after[:3, :3], atol=1e-12)
    np.testing.assert_allclose(
        before[:3, 3] + after[:3, :3] @ (0.25 * twist[:3]), after[:3, 3], atol=1e-12
    )


def test_a_camera_at_rest_has_none():
    pose = rigid(Rotation.from_euler('z', 0.5).as_matrix(), np.ones(3))

    assert body_twist(pose, pose, 0.1) == pytest.approx(np.zeros(6))
