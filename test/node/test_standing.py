# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A transform that holds between images is dated ahead, each time later."""

import numpy as np
import pytest

from xstreamvggt_ros.node.standing import Standing, StandingTransform

SECOND = 1_000_000_000


def standing(stamp, taken):
    return Standing('map', 'odom', np.eye(4), round(stamp * SECOND), round(taken * SECOND))


@pytest.mark.parametrize(
    ('stamp', 'taken', 'now', 'expected'),
    [
        # An image of this clock, 0.3 s old when it was taken in.
        (10.0, 10.3, 12.0, 12.5),
        # One of another year.
        (10.0, 5000.0, 5001.5, 12.0),
        # A clock that has gone back.
        (10.0, 5000.0, 4000.0, 10.5),
    ],
)
def test_it_is_dated_ahead_of_the_present_by_the_images_clock(stamp, taken, now, expected):
    transform = StandingTransform()
    transform.set(standing(stamp, taken))

    found, stamp_ns = transform.dated(round(now * SECOND), 0.5)
    assert (found.parent, found.child) == ('map', 'odom')
    assert stamp_ns == round(expected * SECOND)


def test_it_is_not_sent_twice_for_one_time_nor_backwards():
    transform = StandingTransform()
    assert transform.dated(SECOND, 0.5) is None
    transform.set(standing(1.0, 1.0))
    assert transform.dated(2 * SECOND, 0.5) is not None
    assert transform.dated(2 * SECOND, 0.5) is None
    transform.set(standing(1.9, 1.9))
    assert transform.dated(2 * SECOND - 1, 0.5) is None
    assert transform.dated(2 * SECOND + 1, 0.5) is not None
    transform.set(None)
    assert transform.dated(3 * SECOND, 0.5) is None
