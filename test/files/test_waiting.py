# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of parts that overlap in time."""

import math

import pytest

from xstreamvggt_ros.files import waiting
from xstreamvggt_ros.files.waiting import Waiting


def test_they_come_in_order_of_time_and_then_as_they_were_put():
    messages = Waiting()
    for number, stamp in enumerate((5, 2, 9, 2)):
        messages.put(number, stamp, b'')
    assert [each[:2] for each in messages.before(9)] == [(1, 2), (3, 2), (0, 5)]
    assert [each[:2] for each in messages.before(math.inf)] == [(2, 9)]
    assert not messages.crowded


@pytest.mark.parametrize(('limit', 'most'), [('MOST_WAITING', 3), ('MOST_WAITING_BYTES', 30)])
def test_no_more_are_held_than_fit_whatever_comes_next(monkeypatch, limit, most):
    monkeypatch.setattr(waiting, limit, most)
    messages = Waiting()
    for number in range(8):
        messages.put(number, 100 - number, bytes(10))
    assert [each[0] for each in messages.before(0)] == [7, 6, 5, 4, 3]
    assert messages.crowded
    assert [each[0] for each in messages.before(math.inf)] == [2, 1, 0]
