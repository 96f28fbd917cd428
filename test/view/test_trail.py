# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A path is asked for whole seldom, and is complete all the same."""

import numpy as np
import pytest

from xstreamvggt_ros.view.trail import ASK_S, MOST_POSES, SHOW_S, Trail


@pytest.fixture
def clock():
    return [100.0]


@pytest.fixture
def trail(clock):
    return Trail(lambda: clock[0])


def whole(count):
    """Return a path of poses whose x are their stamps."""
    return np.array([(each, 0, 0) for each in range(count)], np.float32).reshape(-1, 3)


def add(trail, *stamps):
    for stamp in stamps:
        trail.add_pose(stamp, np.array([stamp, 0.0, 0.0]))


def shown(trail, clock):
    clock[0] += SHOW_S
    return trail.news()[:, 0].tolist()


def test_poses_follow_a_path_that_ends_before_them(trail, clock):
    add(trail, 3, 4, 5)
    trail.add_path(4, whole(5))
    assert shown(trail, clock) == [0, 1, 2, 3, 4, 5]
    add(trail, 6)
    assert shown(trail, clock) == [0, 1, 2, 3, 4, 5, 6]


def test_it_asks_until_a_path_is_as_new_as_what_it_heard(trail, clock):
    assert trail.asks
    # What was kept for whoever comes later, of long ago.
    trail.add_path(1, whole(2))
    assert trail.asks
    add(trail, 5)
    trail.add_path(4, whole(5))
    assert trail.asks
    add(trail, 6)
    trail.add_path(6, whole(7))
    assert not trail.asks
    clock[0] += ASK_S + 1
    assert trail.asks
    trail.add_path(6, whole(7))
    add(trail, 20)
    trail.add_path(6, whole(7))
    assert trail.asks
    trail.add_path(20, whole(21))
    assert not trail.asks


def test_another_stream_begins_with_nothing_and_asks(trail, clock):
    add(trail, 1)
    trail.add_path(1, whole(2))
    assert not trail.asks
    trail.forget()
    assert trail.asks and trail.news() is None
    add(trail, 1)
    assert shown(trail, clock) == [1]


def test_it_is_shown_at_most_once_a_second_and_only_when_it_is_new(trail, clock):
    add(trail, 1)
    assert trail.news() is not None
    add(trail, 2)
    assert trail.news() is None
    assert shown(trail, clock) == [1, 2]
    clock[0] += 10
    assert trail.news() is None


def test_it_does_not_grow_for_ever(trail, clock):
    add(trail, *range(MOST_POSES + 100))
    assert len(shown(trail, clock)) == MOST_POSES
    trail.add_path(5, whole(MOST_POSES))
    assert len(shown(trail, clock)) == MOST_POSES
