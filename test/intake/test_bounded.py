# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Work that takes too long is no longer waited for."""

import threading

import pytest

from xstreamvggt_ros.intake.bounded import BoundedWork, TookTooLong


@pytest.fixture
def bounded():
    work = BoundedWork(0.2)
    yield work
    work.close()


def test_results_and_errors_come_back(bounded):
    def fail():
        raise ValueError('no')

    assert bounded.do(lambda: 7) == 7
    with pytest.raises(ValueError, match='no'):
        bounded.do(fail)
    with pytest.raises(TimeoutError, match='its own'):
        bounded.do(lambda: (_ for _ in ()).throw(TimeoutError('its own')))
    assert bounded.do(threading.get_ident) != threading.get_ident()


def test_what_outlives_the_bound_is_left_and_nothing_is_begun_until_it_ends(bounded):
    go_on = threading.Event()
    with pytest.raises(TookTooLong, match='after 0.2 s'):
        bounded.do(go_on.wait)
    with pytest.raises(TookTooLong, match='still'):
        bounded.do(lambda: 1)

    go_on.set()
    bounded._stuck.result(5)
    assert bounded.do(lambda: 2) == 2
