# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Thinning out a stream of stamps."""

import random

from hypothesis import given, strategies
import pytest

from xstreamvggt_ros.node.rate_limit import RateLimit


def admitted(stamps, rate):
    limit = RateLimit()
    return [stamp for stamp in stamps if limit.admits(stamp, rate)]


def test_rate_0_admits_all():
    assert admitted([0.0, 0.0, 1e-9], 0.0) == [0.0, 0.0, 1e-9]


@pytest.mark.parametrize('rate', [1.0, 5.0, 10.0, 15.0])
def test_a_camera_of_30_hz_that_jitters_comes_down_to_the_rate(rate):
    generator = random.Random(1)
    stamps = [100 + index / 30 + generator.uniform(-1e-3, 1e-3) for index in range(900)]

    assert len(admitted(stamps, rate)) == pytest.approx(30 * rate, abs=1)


def test_a_camera_as_fast_as_the_rate_loses_nothing():
    generator = random.Random(1)
    stamps = [1e9 + index / 10 + generator.uniform(-4e-3, 4e-3) for index in range(300)]

    assert len(admitted(stamps, 10.0)) == 300


@given(
    strategies.lists(strategies.floats(0, 0.5), min_size=2, max_size=50),
    strategies.floats(0.5, 20),
)
def test_never_faster_than_the_rate_but_for_the_slack(steps, rate):
    stamps = [sum(steps[: index + 1]) for index in range(len(steps))]
    taken = admitted(stamps, rate)

    assert len(taken) <= (stamps[-1] - stamps[0]) * rate + 1.2


def test_time_that_goes_back_begins_anew():
    assert admitted([100.0, 100.01, 3.0, 3.01, 4.0], 1.0) == [100.0, 3.0, 4.0]
