# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one thread that owns the network, and what waits for it."""

import gc
import threading
import time
from types import SimpleNamespace
import weakref

import pytest

from xstreamvggt_ros.intake.arrivals import Arrival, InStampOrder, InTurn
from xstreamvggt_ros.intake.counters import Counters
from xstreamvggt_ros.intake.worker import CLOSED, Job, Mailbox, NOTHING, Worker, WorkerBusy

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
            self,
            failed=lambda error: self._note(self.failures, error) or 'failed',
            counters=self.counters,
        )

    overlaps = False

    def prepare(self, arrival):
        return arrival

    def begin(self, arrival):
        return arrival.message

    def finish(self, function):
        return function()

    def publish(self, result):
        self._note(self.published, result)

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

    assert mailbox.take() is CLOSED
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


class Device:
    """Stages whose network works by itself, and what was done, step by step."""

    overlaps = True

    def __init__(self):
        self.done = []
        self.fails = set()

    def _note(self, step, frame):
        self.done.append(f'{step} {frame}')
        if f'{step} {frame}' in self.fails:
            raise KeyError(step)

    def prepare(self, arrival):
        self._note('prepare', arrival.message)
        return arrival.message

    def begin(self, frame):
        self._note('begin', frame)
        return frame

    def finish(self, frame):
        self._note('finish', frame)
        return frame

    def publish(self, frame):
        self._note('publish', frame)


def run_on_device(device, frames):
    """Have a worker take frames that all wait already; give the counts."""
    mailbox, counters = Mailbox(InTurn(newest=False, size=100)), Counters()
    failures = []
    for index in range(frames):
        mailbox.put(Arrival(index, float(index)))
    worker = Worker(mailbox, device, lambda error: failures.append(error) or 'failed', counters)
    until = time.monotonic() + DEADLINE
    while counters.snapshot().processed + len(failures) < frames:
        assert time.monotonic() < until
        time.sleep(0.001)
    worker.stop(DEADLINE)
    return counters.snapshot()


def test_the_next_frame_is_prepared_while_the_network_works_and_begun_before_publishing():
    device = Device()

    counts = run_on_device(device, 3)

    assert counts.processed == 3
    assert device.done == [
        *('prepare 0', 'begin 0'),
        *('prepare 1', 'finish 0', 'begin 1', 'publish 0'),
        *('prepare 2', 'finish 1', 'begin 2', 'publish 1'),
        *('finish 2', 'publish 2'),
    ]


@pytest.mark.parametrize('step', ['prepare', 'begin', 'finish', 'publish'])
def test_a_frame_that_fails_at_any_step_takes_no_other_with_it(step):
    device = Device()
    device.fails = {f'{step} 1'}

    counts = run_on_device(device, 4)

    assert (counts.processed, counts.dropped) == (3, {'failed': 1})
    assert [each for each in device.done if each.startswith('publish')] == [
        f'publish {frame}' for frame in range(4) if frame != 1 or step == 'publish'
    ]
    order = [each for each in device.done if each.partition(' ')[0] in ('begin', 'finish')]
    begun = [each for each in order if each.startswith('begin') and each not in device.fails]
    # The network never has two frames in hand.
    for each in begun:
        at = order.index(each)
        assert order[at + 1] == each.replace('begin', 'finish')


def test_a_job_waits_for_the_frame_in_hand_to_be_published():
    device, mailbox = Device(), Mailbox(InTurn(newest=False, size=100))
    worker = Worker(mailbox, device, lambda error: 'failed', Counters())
    mailbox.put(Arrival(0, 0.0))

    for _ in range(2):
        done = worker.post(lambda: list(device.done)).result(DEADLINE)
        assert done in ([], ['prepare 0', 'begin 0', 'finish 0', 'publish 0'])
    worker.stop(DEADLINE)


def test_what_is_newest_is_taken_once_the_network_is_free():
    later = Mailbox(InTurn(newest=True))
    later.set_rule(newest=True, size=1)
    counters = Counters()

    class Slow(Device):
        def finish(self, frame):
            # Arrives while the network works.
            if frame == 0:
                later.put(Arrival(1, 1.0))
                later.put(Arrival(2, 2.0))
            return super().finish(frame)

    device = Slow()
    later.put(Arrival(0, 0.0))
    worker = Worker(later, device, lambda error: 'failed', counters)
    until = time.monotonic() + DEADLINE
    while counters.snapshot().processed < 2:
        assert time.monotonic() < until
        time.sleep(0.001)
    worker.stop(DEADLINE)

    assert device.done == [
        *('prepare 0', 'begin 0', 'finish 0'),
        *('prepare 2', 'begin 2', 'publish 0', 'finish 2', 'publish 2'),
    ]


def test_an_empty_mailbox_that_is_not_waited_at_says_so():
    mailbox = Mailbox(InTurn(newest=False, size=5))

    assert mailbox.take(wait=False) is NOTHING
    mailbox.close()
    assert mailbox.take(wait=False) is CLOSED


def test_what_waits_is_bounded_in_bytes_while_every_frame_counts():
    mailbox = Mailbox(InTurn())
    mailbox.set_rule(newest=False, size=100, most_bytes=1000)

    def image(size):
        return Arrival(SimpleNamespace(data=bytes(size)), 0.0)

    assert [mailbox.put(image(400)) for _ in range(3)] == [[], [], ['queue_full']]
    mailbox.take()
    assert mailbox.put(image(600)) == []
    assert mailbox.put(image(1)) == ['queue_full']
    mailbox.take(), mailbox.take()
    # One is taken whatever its size, or nothing would ever be.
    assert mailbox.put(image(5000)) == []
    mailbox.set_rule(newest=True, size=1, most_bytes=1000)
    assert mailbox.put(image(5000)) == ['superseded']
