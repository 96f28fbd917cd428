# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The log of poses against a plain list of them."""

from hypothesis import given, strategies
import numpy as np

from xstreamvggt_ros.world.pose_log import PoseLog

LENGTH = 5


def pose(number):
    """Give a rigid transform that says which one it is."""
    matrix = np.eye(4)
    matrix[:3, 3] = number
    return matrix


@given(
    strategies.lists(strategies.integers(0, 12), max_size=40),
    strategies.one_of(strategies.none(), strategies.integers(0, 8)),
)
def test_it_holds_what_a_list_would_whatever_the_order_of_the_stamps(stamps, most):
    log, expected = PoseLog(LENGTH), []
    for index, stamp in enumerate(stamps):
        log.append(stamp, pose(index))
        expected = [each for each in expected if each[0] < stamp]
        expected = [*expected, (stamp, index)][-LENGTH:]
        wanted = expected if most is None else expected[max(0, len(expected) - most) :]

        found = log.newest(most)

        assert len(log) == len(expected)
        assert [each.stamp_ns for each in found] == [stamp for stamp, _ in wanted]
        for each, (_, number) in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(each.map_from_camera, pose(number))


def test_what_is_given_out_does_not_change_with_the_log():
    log = PoseLog(LENGTH)
    log.append(1, pose(3))
    (before,) = log.newest()
    log.scale(2.0)
    (after,) = log.newest()
    log.clear()

    np.testing.assert_array_equal(before.map_from_camera, pose(3))
    np.testing.assert_array_equal(after.map_from_camera, pose(6))
    assert len(log) == 0 and log.newest() == []
