# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one thread that owns the network, and what waits for it."""

import gc
import threading
import time
import weakref

import pytest

from xstreamvggt_ros.intake.arrivals import Arrival, InStampOrder, InTurn
from xstreamvggt_ros.intake.counters import Counters
from xstreamvggt_ros.intake.worker import Job, Mailbox, Worker, WorkerBusy

DEADLINE = 10.0


class Bench:
    """A worker whose frames are functions, which it calls; their results are what it publishes."""

    def __init__(self, mailbox=None):
        self.mailbox = mailbox or Mailbox(InTurn(newest=False, size=100))
        self.counters = Counters()
        self.published = []
        self.failures = []
        self.progress = threading.Condition()
        self.worker = Worker(
            self.mailbox,
            infer=lambda arrival: arrival.message(),
            publish=lambda result: self._note(self.published, result),
            failed=lambda error: self._note(self.failures, error) or 'failed',
            counters=self.counters,
        )

    def put(self, function):
        return self.mailbox.put(Arrival(function, time.monotonic()))

    def wait(self, condition):
        with self.progress:
            assert self.progress.wait_for(condition, DEADLINE)

    def _note(self, where, what):
        with self.progress:
            where.append(what)
            self.progress.notify_all()


class Gate:
    """A frame that is in hand until it is opened."""

    def __init__(self):
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self):
        self.entered.set()
        assert self.opened.wait(DEADLINE)
        return 'gate'


@pytest.fixture
def bench():
    made = Bench()
    yield made
    made.worker.stop(DEADLINE)


@pytest.fixture
def held(bench):
    """Keep the worker of the bench busy with a frame."""
    gate = Gate()
    bench.put(gate)
    assert gate.entered.wait(DEADLINE)
    yield gate
    gate.opened.set()


def frame(at):
    return Arrival(at, float(at))


def test_jobs_go_before_frames():
    mailbox = Mailbox(InTurn(newest=True))
    mailbox.put(frame(0))
    job = Job(lambda: None)
    mailbox.post(job)

    assert [mailbox.take(), mailbox.take()] == [job, frame(0)]


def test_a_frame_that_has_to_wait_for_older_ones_is_taken_when_its_time_is_up():
    mailbox = Mailbox(InStampOrder(cameras=2, window=0.05))
    began = time.monotonic()
    mailbox.put(Arrival('early', began, camera=0, stamp_ns=5))

    assert mailbox.take().message == 'early'
    assert time.monotonic() - began >= 0.05


def test_a_closed_mailbox_gives_nothing_and_cancels_jobs():
    mailbox = Mailbox(InTurn(newest=False, size=5))
    mailbox.put(frame(0))
    before, after = Job(lambda: None), Job(lambda: None)
    mailbox.post(before)

    assert len(mailbox.close()) == 1
    mailbox.post(after)

    assert mailbox.take() is None
    assert before.result.cancelled() and after.result.cancelled()


def test_frames_are_published_in_order_by_one_other_thread(bench):
    for index in range(20):
        bench.put(lambda index=index: (index, threading.get_ident()))

    bench.wait(lambda: len(bench.published) == 20)

    assert [index for index, _ in bench.published] == list(range(20))
    assert {thread for _, thread in bench.published}.isdisjoint({threading.get_ident()})
    assert len({thread for _, thread in bench.published}) == 1


def test_an_exception_drops_the_frame_and_the_worker_goes_on(bench):
    bench.put(lambda: 1 / 0)
    bench.put(lambda: 'fine')

    bench.wait(lambda: bench.published == ['fine'])

    assert [type(error) for error in bench.failures] == [ZeroDivisionError]
    bench.worker.stop(DEADLINE)
    counts = bench.counters.snapshot()
    assert (counts.processed, counts.dropped) == (1, {'failed': 1})
    assert len(counts.latencies) == 1


def test_a_job_is_done_between_two_frames(bench, held):
    bench.put(lambda: 'next')
    done = bench.worker.post(lambda: list(bench.published))
    held.opened.set()

    assert done.result(DEADLINE) == ['gate']


def test_a_job_gives_its_result_and_what_was_raised(bench):
    assert bench.worker.post(lambda: 5).result(DEADLINE) == 5
    with pytest.raises(KeyError, match='why'):
        bench.worker.post(lambda: {}['why']).result(DEADLINE)


def test_stopping_discards_what_waits_and_does_not_publish_what_is_in_hand(bench, held):
    bench.put(lambda: 'waiting')

    with pytest.raises(WorkerBusy, match='0.05 s'):
        bench.worker.stop(0.05)
    held.opened.set()
    bench.worker.stop(DEADLINE)

    assert bench.published == []
    assert bench.counters.snapshot().dropped == {'stopped': 2}


def test_an_idle_worker_holds_on_to_nothing_of_the_last_frame(bench):
    class Message:
        def __call__(self):
            return None

    message = Message()
    alive = weakref.ref(message)
    bench.put(message)
    bench.wait(lambda: bench.published)
    del message
    # A job is done after the frame is let go.
    bench.worker.post(gc.collect).result(DEADLINE)

    assert alive() is None
