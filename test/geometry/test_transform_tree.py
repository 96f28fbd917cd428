# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames in a tree: what is found, what is refused, what is forgotten."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.geometry import rigid
from xstreamvggt_ros.geometry.transform_tree import TransformError, TransformTree

SECOND = 10**9


def pose(x=0.0, y=0.0, z=0.0, yaw=0.0):
    return rigid(Rotation.from_euler('z', yaw, degrees=True).as_matrix(), np.array([x, y, z]))


@pytest.fixture
def tree():
    """Let base move and turn in odom from 1 s to 3 s; the camera is fixed to base."""
    made = TransformTree()
    made.insert('odom', 'base', 1 * SECOND, pose(x=0.0))
    made.insert('odom', 'base', 3 * SECOND, pose(x=2.0, yaw=90.0))
    made.insert('base', 'camera', 0, pose(x=1.0), static=True)
    made.insert('base', 'laser', 0, pose(y=1.0), static=True)
    return made


def test_between_two_times_position_and_rotation_are_interpolated(tree):
    np.testing.assert_allclose(
        tree.lookup('odom', 'base', 2 * SECOND), pose(x=1.0, yaw=45.0), atol=1e-12
    )
    np.testing.assert_allclose(
        tree.lookup('odom', 'base', 1 * SECOND + SECOND // 2), pose(x=0.5, yaw=22.5), atol=1e-12
    )


def test_the_way_goes_up_and_down_the_tree_in_both_directions(tree):
    at_3 = 3 * SECOND
    expected = pose(x=2.0, yaw=90.0) @ pose(x=1.0)
    np.testing.assert_allclose(tree.lookup('odom', 'camera', at_3), expected, atol=1e-12)
    np.testing.assert_allclose(
        tree.lookup('camera', 'odom', at_3), np.linalg.inv(expected), atol=1e-12
    )
    # Two static ones need no time that odom is known at.
    np.testing.assert_allclose(tree.lookup('laser', 'camera', 99 * SECOND), pose(x=1.0, y=-1.0))
    np.testing.assert_array_equal(tree.lookup('base', 'base', 0), np.eye(4))
    # With the slash of ROS 1.
    np.testing.assert_array_equal(tree.lookup('/base', '/camera', 0), pose(x=1.0))


@pytest.mark.parametrize(
    'seconds, gap', [(0.5, '0.500 s before the oldest'), (3.25, '0.250 s after the newest')]
)
def test_beyond_what_is_known_nothing_is_guessed(tree, seconds, gap):
    with pytest.raises(TransformError, match=f'odom to base is not known at .*{gap}'):
        tree.lookup('odom', 'camera', round(seconds * SECOND))


def test_what_is_missing_is_named(tree):
    with pytest.raises(TransformError, match='nothing is known of frame arm; known frames: base'):
        tree.lookup('odom', 'arm', 2 * SECOND)
    tree.insert('world', 'arm', 0, pose(), static=True)
    with pytest.raises(TransformError, match='one ends in world, the other in odom'):
        tree.lookup('odom', 'arm', 2 * SECOND)


def test_a_loop_is_refused_and_changes_nothing(tree):
    with pytest.raises(TransformError, match='would close a loop: camera in base in odom'):
        tree.insert('camera', 'odom', 2 * SECOND, pose())
    with pytest.raises(TransformError, match='would close a loop'):
        tree.insert('base', 'base', 2 * SECOND, pose())
    tree.lookup('odom', 'camera', 2 * SECOND)


def test_a_frame_under_another_parent_begins_anew(tree):
    tree.insert('map', 'base', 2 * SECOND, pose(z=3.0))
    np.testing.assert_array_equal(tree.lookup('map', 'base', 2 * SECOND), pose(z=3.0))
    with pytest.raises(TransformError, match='nothing is known of frame odom'):
        tree.lookup('odom', 'base', 2 * SECOND)


def test_the_memory_is_bounded_in_time_and_frames():
    tree = TransformTree(history_ns=10 * SECOND, max_frames=2)
    for second in range(100):
        tree.insert('odom', 'base', second * SECOND, pose(x=float(second)))
    assert tree.lookup('odom', 'base', 89 * SECOND)[0, 3] == 89.0
    with pytest.raises(TransformError, match='1.000 s before the oldest'):
        tree.lookup('odom', 'base', 88 * SECOND)
    tree.insert('base', 'camera', 0, pose(), static=True)
    for name in ('laser', 'wheel', 'arm'):
        tree.insert('base', name, 0, pose(), static=True)
    # What was asked for stays; of the others the newest.
    assert tree.lookup('odom', 'arm', 99 * SECOND)[0, 3] == 99.0
    with pytest.raises(TransformError, match='nothing is known of frame camera'):
        tree.lookup('odom', 'camera', 99 * SECOND)


def test_a_thousand_passing_frames_do_not_keep_the_odometry_out():
    tree = TransformTree()
    tree.insert('base', 'camera', 0, pose(), static=True)
    tree.insert('odom', 'base', SECOND, pose(x=1.0))
    tree.lookup('odom', 'camera', SECOND)
    for index in range(3000):
        tree.insert('world', f'passing_{index}', SECOND, pose())
    tree.insert('odom', 'base', 2 * SECOND, pose(x=2.0))
    assert tree.lookup('odom', 'camera', 2 * SECOND)[0, 3] == 2.0


@pytest.mark.parametrize('wrong_at', [1, 10**9])
def test_a_wrong_way_round_from_before_gives_way_to_the_odometry(wrong_at):
    tree = TransformTree()
    tree.insert('base', 'odom', wrong_at * SECOND, pose(x=5.0))
    for tenth in range(30, 60):
        tree.insert('odom', 'base', tenth * SECOND // 10, pose(x=float(tenth)))
    assert tree.lookup('odom', 'base', 5 * SECOND)[0, 3] == 50.0


def test_transforms_may_come_out_of_order_and_a_bag_may_begin_again():
    tree = TransformTree()
    for second in (50, 52, 51):
        tree.insert('odom', 'base', second * SECOND, pose(x=float(second)))
    assert tree.lookup('odom', 'base', 51 * SECOND)[0, 3] == 51.0
    tree.insert('odom', 'base', 1 * SECOND, pose(x=1.0))
    assert tree.lookup('odom', 'base', 1 * SECOND)[0, 3] == 1.0
    with pytest.raises(TransformError, match='after the newest'):
        tree.lookup('odom', 'base', 51 * SECOND)


def test_what_moves_can_be_forgotten():
    tree = TransformTree()
    tree.insert('odom', 'base', SECOND, pose(x=1.0))
    tree.insert('base', 'camera', 0, pose(x=2.0), static=True)
    tree.clear()

    assert tree.lookup('base', 'camera', SECOND)[0, 3] == 2.0
    with pytest.raises(TransformError, match='odom'):
        tree.lookup('odom', 'base', SECOND)
