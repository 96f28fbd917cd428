# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many images are on their way."""

from xstreamvggt_ros.rig.pacing import Pacer


def _pacer(*stamps):
    pacer = Pacer()
    for stamp in stamps:
        pacer.publish(stamp)
    return pacer


def test_an_answer_settles_its_image_and_all_before_it():
    pacer = _pacer(10, 20, 30)
    assert pacer.in_flight == 3
    pacer.answer(20)
    assert pacer.in_flight == 1
    pacer.answer(30)
    assert pacer.in_flight == 0


def test_an_answer_to_nothing_on_its_way_changes_nothing():
    pacer = _pacer(10, 20)
    pacer.answer(15)
    assert pacer.in_flight == 2


def test_counted_drops_make_room_without_an_answer():
    pacer = _pacer(10, 20, 30)
    pacer.count(2)
    assert pacer.in_flight == 1
    # The answer to the first comes late; the count knew it already.
    pacer.answer(10)
    assert pacer.in_flight == 1


def test_a_count_that_lags_behind_the_answers_takes_nothing_back():
    pacer = _pacer(10, 20, 30)
    pacer.answer(30)
    pacer.count(1)
    assert pacer.in_flight == 0
