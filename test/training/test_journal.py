# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The log of a run, and what a crash leaves of it."""

from xstreamvggt_ros.training.journal import Journal


def test_a_half_written_line_is_passed_over_and_dropped_when_the_run_goes_on(tmp_path):
    journal = Journal(tmp_path / 'log.jsonl')
    for step in (1, 2):
        journal.add('training', step, {'loss': 1 / step})
    with journal.path.open('a') as file:
        file.write('{"kind": "training", "st')

    assert journal.kinds() == ['training']
    assert journal.best('training', 'loss') == 0.5
    journal.forget_after(2)
    journal.add('training', 3, {'loss': 0.25})

    assert [row['step'] for row in journal.rows('training')] == [1, 2, 3]
    assert list(tmp_path.iterdir()) == [journal.path]
