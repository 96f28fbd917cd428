# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which stamps are time."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from xstreamvggt_ros.intake.stamps import StampJudge

SECOND = 1_000_000_000


def judged(*stamps):
    judge = StampJudge()
    return [judge.judge(round(stamp * SECOND)) for stamp in stamps]


def words(*stamps):
    return [timing.wrong for timing in judged(*stamps)]


def laps(*stamps):
    return [timing.lap for timing in judged(*stamps)]


def test_a_zero_among_stamps_is_no_time():
    timings = judged(5.0, 5.1, 0.0, 5.2)
    assert [timing.wrong for timing in timings] == ['', '', 'zero_stamp', '']
    assert [timing.time_ns / SECOND for timing in timings] == [5.0, 5.1, 5.1, 5.2]
    assert timings[-1].lap == 0


@pytest.mark.parametrize('odd', [0.01, 2.0, 11.0, 60.0, 1e9])
@pytest.mark.parametrize('before', [2, 10])
def test_one_outlier_starts_nothing(odd, before):
    stamps = [8 + index / 10 for index in range(before)]
    after = [8 + (before + index) / 10 for index in range(5)]
    assert laps(*stamps, odd, *after) == [0] * (before + 6)
    assert words(*stamps, odd, *after) == [*[''] * before, 'odd_stamp', *[''] * 5]


def test_a_second_one_that_agrees_begins_again():
    assert words(8.0, 8.1, 1.0, 1.1, 1.2) == ['', '', 'odd_stamp', '', '']
    assert laps(8.0, 8.1, 1.0, 1.1, 1.2) == [0, 0, 0, 1, 1]
    assert judged(8.0, 8.1, 1.0, 1.1)[-1].back_ns == round(7.1 * SECOND)


def test_outliers_that_do_not_agree_start_nothing():
    assert laps(8.0, 8.1, 1.0, 4.5, 8.2, 2.0, 8.3) == [0] * 7


def test_a_gap_is_one_once_the_next_agrees():
    assert words(8.0, 8.1, 68.0, 68.1, 68.2) == ['', '', 'odd_stamp', '', '']
    assert laps(8.0, 8.1, 68.0, 68.1) == [0] * 4


@pytest.mark.parametrize('gap', [0.1, 2.0, 3600.0])
def test_a_gap_in_which_nothing_was_listened_to_is_none_of_the_camera_s(gap):
    judge = StampJudge()
    for index in range(20):
        judge.judge(8 * SECOND + index * SECOND // 30)
    judge.rest()
    after = [judge.judge(round((9 + gap + index / 30) * SECOND)).wrong for index in range(4)]
    assert after == [''] * 4
    # And what comes later is judged as before.
    assert judge.judge(round((9 + gap + 5) * SECOND)).wrong == 'odd_stamp'


def test_time_that_begins_again_while_nothing_was_listened_to_is_noticed():
    judge = StampJudge()
    for index in range(20):
        judge.judge(8 * SECOND + index * SECOND // 30)
    judge.rest()
    timings = [judge.judge(SECOND + index * SECOND // 30) for index in range(3)]
    assert [timing.wrong for timing in timings] == ['odd_stamp', '', '']
    assert [timing.lap for timing in timings] == [0, 1, 1]


def test_a_camera_that_is_slow_is_not_odd():
    assert words(0.5, 10, 20, 30.5, 39, 60) == [''] * 6


def test_a_first_step_that_was_wrong_is_taken_back():
    timings = judged(1.0, 6.0, 1.1, 1.2)
    assert [timing.lap for timing in timings] == [0] * 4
    assert timings[-1].wrong == ''


def test_what_is_forgotten_is_not_compared_with():
    judge = StampJudge()
    judge.judge(9 * SECOND)
    judge = judge.anew()
    assert judge.judge(SECOND).wrong == '' and judge.judge(2 * SECOND).lap == 0


@given(st.lists(st.integers(-(2**61), 2**61), max_size=30))
def test_whatever_comes_is_put_in_order_and_laps_only_grow(stamps):
    judge, laps = StampJudge(), [0]
    for stamp in stamps:
        timing = judge.judge(stamp)
        laps.append(timing.lap)
        assert timing.wrong or timing.time_ns == stamp
        assert timing.back_ns >= 0
    assert laps == sorted(laps)
