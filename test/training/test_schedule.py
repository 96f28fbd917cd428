# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Schedules by steps and by the clock."""

import pytest

from xstreamvggt_ros.training.config import Stage, TrainingConfig
from xstreamvggt_ros.training.schedule import Minutes, Steps
from xstreamvggt_ros.training.trainer import learning_rate

CONFIG = TrainingConfig(
    (Stage(0.5, (42, 56), ((1, 2),)), Stage(1.0, (42, 56), ((1, 3),))),
    steps=100,
    warmup=10,
    lr=1.0,
    final_lr=0.0,
)


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_the_rate_falls_with_the_clock_to_its_end_however_many_steps_there_were():
    clock = Clock()
    schedule = Minutes(2, clock=clock)
    schedule.start()
    assert learning_rate(CONFIG, 4, schedule) == pytest.approx(0.5)
    clock.now += 20
    assert learning_rate(CONFIG, 10, schedule) == pytest.approx(1.0)
    clock.now += 50
    assert learning_rate(CONFIG, 11, schedule) == pytest.approx(0.5)
    assert CONFIG.stage(schedule.progress(11)) == CONFIG.stages[1]
    clock.now += 80
    assert learning_rate(CONFIG, 12, schedule) == 0
    assert schedule.progress(12) == 1


def test_a_run_that_goes_on_has_had_its_time():
    clock = Clock()
    schedule = Minutes(2, clock=clock)
    clock.now += 1000
    schedule.start(spent=60)
    assert schedule.progress(500) == 0.5
    assert learning_rate(CONFIG, 500, schedule) == pytest.approx(0.5)
    clock.now += 30
    assert schedule.spent == 90


def test_steps_count_themselves():
    assert [Steps(4).progress(step) for step in range(5)] == [0, 0.25, 0.5, 0.75, 1]


@pytest.mark.parametrize('minutes', [0, -1])
def test_no_time_is_refused(minutes):
    with pytest.raises(ValueError, match=f'minutes is {minutes}; give more than 0'):
        Minutes(minutes)
