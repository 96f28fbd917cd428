# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The order in which waiting frames are taken."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from xstreamvggt_ros.intake.arrivals import Arrival, InStampOrder, InTurn

SECOND = 10**9
WINDOW = 0.05
LATER = 1e9


def frame(stamp, camera=0, at=None):
    """Make a frame that comes when it was taken, unless told otherwise; all in seconds."""
    return Arrival(f'{camera}@{stamp}', stamp if at is None else at, camera, round(stamp * SECOND))


def taken(arrivals, now=LATER):
    """Take whatever can be."""
    found = []
    while (each := arrivals.take(now)[0]) is not None:
        found.append(each.message)
    return found


def test_newest_keeps_one_frame_and_says_that_the_older_was_superseded():
    arrivals = InTurn(newest=True)

    assert [arrivals.put(frame(at)) for at in range(3)] == [[], ['superseded'], ['superseded']]
    assert taken(arrivals) == ['0@2']


def test_a_queue_keeps_the_order_and_refuses_what_arrives_beyond_its_size():
    arrivals = InTurn(newest=False, size=2)

    assert [arrivals.put(frame(at)) for at in (3, 1, 2)] == [[], [], ['queue_full']]
    assert taken(arrivals) == ['0@3', '0@1']


@pytest.mark.parametrize('make', [InTurn, lambda: InStampOrder(2, WINDOW)])
def test_the_rule_can_be_changed_and_what_waits_discarded(make):
    arrivals = make()
    arrivals.set_rule(newest=False, size=3)

    assert [arrivals.put(frame(at)) for at in range(4)] == [[], [], [], ['queue_full']]
    assert [each.message for each in arrivals.clear()] == ['0@0', '0@1', '0@2']
    assert arrivals.take(LATER) == (None, None)


@pytest.mark.parametrize(
    ('make', 'dropped', 'left'),
    [(InTurn, [0, 0, 0], ['0@3']), (lambda: InStampOrder(2, WINDOW), [0, 1, 1], ['0@1', '1@4'])],
)
def test_what_waits_gives_way_to_the_newest_where_that_becomes_the_rule(make, dropped, left):
    arrivals = make()
    arrivals.set_rule(newest=False, size=9)
    several = isinstance(arrivals, InStampOrder)
    for at, camera in enumerate((0, 0, 1, 1, 1) if several else (0, 0, 0, 0)):
        arrivals.put(frame(at, camera))

    assert arrivals.set_rule(newest=True, size=1) == dropped
    assert taken(arrivals) == left
    assert arrivals.set_rule(newest=False, size=9) == []


def test_out_of_order_arrivals_leave_in_the_order_of_their_stamps():
    arrivals = InStampOrder(2, WINDOW, newest=False, size=10)
    for stamp, camera in [(1.02, 1), (1.00, 0), (1.04, 0), (1.06, 1)]:
        assert arrivals.put(frame(stamp, camera, at=2.0)) == []

    assert taken(arrivals) == ['0@1.0', '1@1.02', '0@1.04', '1@1.06']


def test_a_frame_is_held_until_every_camera_has_one_or_its_window_is_over():
    arrivals = InStampOrder(2, WINDOW)
    arrivals.put(frame(1.0, 0))
    nothing, seconds = arrivals.take(1.02)
    assert nothing is None
    assert seconds == pytest.approx(0.03)

    arrivals.put(frame(0.99, 1, at=1.03))
    assert taken(arrivals, 1.03) == ['1@0.99']
    assert taken(arrivals, 1.051) == ['0@1.0']


def test_what_is_older_than_the_last_that_was_given_is_late():
    arrivals = InStampOrder(2, WINDOW)
    arrivals.put(frame(1.0, 0))
    assert taken(arrivals) == ['0@1.0']

    assert arrivals.put(frame(0.9, 1)) == ['late']
    # Cameras that are triggered together are not.
    assert arrivals.put(frame(1.0, 1)) == []


def test_the_newest_gives_way_only_once_it_has_had_its_time():
    arrivals = InStampOrder(2, WINDOW, newest=True, size=64)
    assert [arrivals.put(frame(stamp, 0)) for stamp in (1.00, 1.03, 1.06)] == [[], [], []]
    # Two have waited for their window by now, and the older of them is of no use any more.
    assert arrivals.put(frame(1.09, 0)) == ['superseded']
    assert arrivals.put(frame(1.50, 1)) == []
    assert arrivals.put(frame(1.51, 0)) == ['superseded', 'superseded']

    assert taken(arrivals) == ['0@1.09', '1@1.5', '0@1.51']


def test_without_a_window_the_newest_of_each_waits():
    arrivals = InStampOrder(2, 0.0, newest=True, size=64)
    reasons = [arrivals.put(frame(at, camera)) for at, camera in [(1, 0), (2, 0), (3, 1), (4, 1)]]

    assert reasons == [[], ['superseded'], [], ['superseded']]
    assert taken(arrivals) == ['0@2', '1@4']


def test_the_newest_of_a_camera_that_floods_are_bounded():
    arrivals = InStampOrder(2, WINDOW, newest=True, size=4)
    dropped = [arrivals.put(frame(1 + 1e-6 * index, 0, at=1.0)) for index in range(10)]

    assert dropped == [[]] * 4 + [['superseded']] * 6


@pytest.mark.parametrize('cameras', [2, 3])
@pytest.mark.parametrize('window', [0.0, WINDOW])
def test_a_slow_worker_serves_all_cameras_alike(cameras, window):
    arrivals = InStampOrder(cameras, window, newest=True, size=64)
    served = [0] * cameras
    for tick in range(200):
        now = 0.05 * tick
        for camera in range(cameras):
            # Triggered together, but for a little that is always the same.
            arrivals.put(frame(now + 1e-6 * camera, camera, at=now))
        if tick % 3 == 2 and (each := arrivals.take(now + 0.04)[0]) is not None:
            served[each.camera] += 1
            assert now - 1e-9 * each.stamp_ns <= 0.05 * 3 * cameras + window

    assert sum(served) >= 60
    assert max(served) - min(served) <= 1


def test_a_bag_that_begins_again_is_a_lap_after_the_last_one_for_all():
    arrivals = InStampOrder(2, WINDOW, newest=False, size=20)
    for stamp, camera in [(9.0, 0), (9.1, 1), (9.2, 0), (0.0, 0), (9.3, 1), (0.2, 0), (0.1, 1)]:
        assert arrivals.put(frame(stamp, camera, at=9.0)) == []

    assert taken(arrivals) == ['0@9.0', '1@9.1', '0@9.2', '1@9.3', '0@0.0', '1@0.1', '0@0.2']
    # What is left of the lap before.
    arrivals.put(frame(0.3, 0))
    taken(arrivals)
    assert arrivals.put(frame(0.29, 1)) == ['late']


def test_leftovers_of_the_lap_before_are_late_and_their_camera_follows():
    arrivals = InStampOrder(2, WINDOW)
    for stamp, camera, at in [(9.0, 0, 9.0), (9.0, 1, 9.0), (0.0, 0, 9.1)]:
        arrivals.put(frame(stamp, camera, at))
    taken(arrivals)

    assert arrivals.put(frame(9.1, 1, at=9.1)) == ['late']
    assert arrivals.put(frame(0.1, 1, at=9.2)) == []


def test_cameras_whose_clocks_part_are_put_in_order_by_what_lies_between_them():
    told = []
    arrivals = InStampOrder(2, WINDOW, newest=False, size=100, parted=lambda *of: told.append(of))
    given_out, dropped = [], {0: 0, 1: 0}
    for tick in range(100):
        now = 0.1 * tick
        for camera in (0, 1):
            # The driver of the first is started again, and its clock with it.
            stamp = 100 + now - (90 if camera == 0 and tick >= 20 else 0) + 0.05 * camera
            dropped[camera] += len(arrivals.put(frame(stamp, camera, at=now + 0.05 * camera)))
        while (each := arrivals.take(now + 0.05)[0]) is not None:
            given_out.append(each)

    assert dropped[0] == 0
    # Until it is certain that the second does not begin again too.
    assert 9 <= dropped[1] <= 12
    assert told == [(1, pytest.approx(90, abs=0.5))]
    order = [each.camera for each in given_out if each.at > 4]
    assert order == [0, 1] * (len(order) // 2) or order == [1, 0] * (len(order) // 2)


def filmed(clock, silent=lambda camera, now: False, jitter=0.0, seconds=40):
    """
    Film with two cameras at 10 Hz, the second 0.05 s after the first.

    `clock` gives what a camera's clock shows more than true. Returns what was given out, when
    each camera lost frames and what was told of clocks that parted.
    """
    told, given_out, dropped = [], [], {0: [], 1: []}
    arrivals = InStampOrder(2, WINDOW, newest=False, size=100, parted=lambda *of: told.append(of))
    for tick in range(10 * seconds):
        for camera in (0, 1):
            taken_at = 0.1 * tick + 0.05 * camera
            if silent(camera, taken_at):
                continue
            stamp = 1000 + taken_at + clock(camera, taken_at)
            at = taken_at + jitter * (tick * 7 % 10) / 10
            dropped[camera] += [at for _ in arrivals.put(frame(stamp, camera, at))]
        while (each := arrivals.take(0.1 * tick + 0.1)[0]) is not None:
            given_out.append(each)
    return given_out, dropped, told


def in_turn(given_out, begin, end):
    """Tell whether the cameras took turns between two arrivals."""
    order = [each.camera for each in given_out if begin < each.at < end]
    return len(order) > 50 and all(a != b for a, b in zip(order, order[1:], strict=False))


@pytest.mark.parametrize('step', [-90, -5, 5, 90])
def test_a_camera_whose_clock_is_set_alone_silences_none(step):
    given_out, dropped, told = filmed(lambda camera, now: step * (camera == 0 and now >= 5))

    assert dropped[0] == []
    # Until it is certain that the second does not follow.
    assert all(5 <= at < 6.2 for at in dropped[1])
    assert told == [(1, pytest.approx(-step, abs=0.5))]
    assert in_turn(given_out, 7, 40)


@pytest.mark.parametrize('step', [-90, -5, 5, 90])
def test_a_clock_that_is_set_and_set_right_again_leaves_the_order_as_it_was(step):
    given_out, dropped, told = filmed(lambda camera, now: step * (camera == 0 and 5 <= now < 20))

    assert dropped[0] == []
    assert all(5 <= at < 6.2 for at in dropped[1])
    assert told == [(1, pytest.approx(-step, abs=0.5))]
    assert in_turn(given_out, 7, 19)
    assert in_turn(given_out, 21, 40)
    stamps = [each.stamp_ns for each in given_out if each.at > 21]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize('step', [-90, -5, 5, 90])
def test_clocks_that_are_set_together_lose_nothing(step):
    given_out, dropped, told = filmed(lambda camera, now: step * (now >= 5))

    assert (dropped, told) == ({0: [], 1: []}, [])
    assert in_turn(given_out, 0, 40)


def test_jitter_is_not_taken_for_clocks_that_part():
    given_out, dropped, told = filmed(lambda camera, now: 0, jitter=0.04)

    assert (dropped, told) == ({0: [], 1: []}, [])
    assert in_turn(given_out, 0, 40)


@pytest.mark.parametrize('before', [0, 90])
@pytest.mark.parametrize('camera', [0, 1])
def test_a_camera_that_pauses_comes_back_by_its_own_stamps(camera, before):
    given_out, dropped, told = filmed(
        lambda which, now: before * (which == 0 and now >= 5),
        lambda which, now: which == camera and 10 <= now < 25,
    )

    assert [at for lost in dropped.values() for at in lost if at > 6.2] == []
    assert len(told) == (before > 0)
    assert in_turn(given_out, 25, 40)


def test_two_clocks_that_never_agreed_are_put_in_order():
    given_out, dropped, told = filmed(lambda camera, now: 90 * camera)

    assert all(at < 1.3 for lost in dropped.values() for at in lost)
    assert len(told) == 1
    assert in_turn(given_out, 2, 40)


def test_a_camera_that_the_window_waits_for_keeps_its_own_stamps():
    told = []
    arrivals = InStampOrder(2, 4.0, newest=False, size=100, parted=lambda *of: told.append(of))
    for tick in range(100):
        now = 0.1 * tick
        for camera, delay in ((0, 0.0), (1, 3.0)):
            assert arrivals.put(frame(now - delay, camera, at=now)) == []
        while arrivals.take(now)[0] is not None:
            pass

    assert told == []


def test_a_camera_whose_clock_parted_is_back_in_order_when_it_begins_again_too():
    arrivals = InStampOrder(2, WINDOW, newest=False, size=100)
    steps = [
        (100, 0, 0),
        (100, 1, 0),
        (10, 0, 1),
        (11.5, 0, 2.5),
        (102.5, 1, 2.5),
        (102.6, 1, 2.6),
    ]
    assert [arrivals.put(frame(*step)) for step in steps] == [[]] * len(steps)
    taken(arrivals)

    assert arrivals.put(frame(13.2, 1, at=4.2)) == []
    assert arrivals.put(frame(13.1, 0, at=4.2)) == []
    assert taken(arrivals) == ['0@13.1', '1@13.2']


def test_a_camera_that_was_silent_over_the_end_of_a_lap_joins_the_next_by_its_stamp():
    arrivals = InStampOrder(2, WINDOW)
    for stamp, camera in [(4.9, 1), (9.0, 0), (0.0, 0)]:
        arrivals.put(frame(stamp, camera))
        taken(arrivals)
    for stamp in range(1, 6):
        arrivals.put(frame(stamp, 0))
        taken(arrivals)

    assert arrivals.put(frame(5.1, 1)) == []
    assert taken(arrivals) == ['1@5.1']


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),  # camera
        st.integers(0, 40),  # hundredths of a second that its stamp is behind its arrival
        st.booleans(),  # whether the worker takes one after it
    ),
    max_size=60,
)


@given(STEPS, st.booleans(), st.integers(1, 5))
def test_stamps_never_go_back_and_every_frame_is_given_or_dropped(steps, newest, size):
    arrivals = InStampOrder(3, WINDOW, newest, size)
    given_out, dropped = [], 0
    for index, (camera, behind, takes) in enumerate(steps):
        now = 10 + 0.02 * index
        dropped += len(arrivals.put(frame(now - 0.01 * behind, camera, at=now)))
        if takes and (each := arrivals.take(now)[0]) is not None:
            given_out.append(each)
    waiting = len(steps) - len(given_out) - dropped
    assert waiting <= 3 * (size + 1)
    while (each := arrivals.take(LATER)[0]) is not None:
        given_out.append(each)

    stamps = [each.stamp_ns for each in given_out]
    assert stamps == sorted(stamps)
    assert len(given_out) + dropped == len(steps)
