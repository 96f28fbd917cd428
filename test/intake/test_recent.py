# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream is judged by its last seconds."""

from xstreamvggt_ros.intake.counters import Counts
from xstreamvggt_ros.intake.recent import RecentCounts


def counted(processed=0, lost=0, **dropped):
    return Counts(processed + sum(dropped.values()), processed, dropped, (), lost=lost)


def test_what_the_counts_have_grown_by_in_the_last_seconds():
    recent = RecentCounts(0.0, counted(), 0, seconds=10.0)
    grown = [recent.note(float(at), counted(5 * at, step=at), 1) for at in range(1, 31)]

    assert (grown[4].processed, grown[4].dropped, grown[4].streams) == (25, {'step': 5}, 1)
    assert (grown[-1].seconds, grown[-1].processed, grown[-1].dropped) == (10.0, 50, {'step': 10})
    assert grown[-1].rate == 5.0
    assert grown[-1].streams == 0


def test_every_second_image_refused_is_a_warning_that_does_not_flicker():
    recent = RecentCounts(0.0, counted(), 1)
    for at in range(1, 20):
        now = recent.note(float(at), counted(processed=at // 2, step=(at + 1) // 2), 1)
        assert now.failing == (at == 1)
        assert 'images dropped in the last' in now.warnings()[0] and 'step' in now.warnings()[0]


def test_what_is_dropped_as_it_was_meant_to_be_is_no_warning():
    recent = RecentCounts(0.0, counted(), 1)
    now = recent.note(1.0, counted(3, superseded=9, max_rate=2, stopped=1), 1)
    assert now.warnings() == [] and not now.failing


def test_losses_and_endless_new_streams_are_warnings():
    recent = RecentCounts(0.0, counted(), 1)
    lost, streams = recent.note(5.0, counted(30, lost=7), 9).warnings()
    assert lost.startswith('7 images lost in transport')
    assert streams.startswith('8 new streams')
    assert recent.note(30.0, counted(30, lost=7), 9).warnings() == []
