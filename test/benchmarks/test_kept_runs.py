# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows that a killed command left."""

import json

from kept_work import rows_of
import pytest

from benchmarks.kept_runs import complete, kept_rows, missing
from benchmarks.methods import __main__ as methods
from benchmarks.segments import __main__ as segments


def test_what_a_kill_cut_short_is_measured_again_and_nothing_else(tmp_path):
    file = tmp_path / 'runs.jsonl'
    here = {'weights': 'these', 'frames': 6}
    chosen = {'all': 0, 'half': 1}
    rows = [{**here, 'seed': seed, 'setting': setting} for seed in (1, 2, 3) for setting in chosen]
    lines = [json.dumps(row) for row in rows]

    assert kept_rows(file, here) == []
    file.write_text('\n'.join([*lines[:3], lines[3][:9], *lines[4:], '{}', '5']))
    kept = kept_rows(file, here)

    assert kept == rows[:3] + rows[4:]
    assert missing(kept, (1, 2, 3, 4), chosen) == {2: [1], 4: [0, 1]}


def test_rows_of_other_weights_are_not_taken(tmp_path):
    file = tmp_path / 'runs.jsonl'
    file.write_text(json.dumps({'weights': 'those', 'seed': 1, 'setting': 'all'}))

    assert kept_rows(file, {'weights': 'these'}) == []
    assert len(kept_rows(file, {'weights': 'those'})) == 1


@pytest.mark.parametrize('jobs', [1, 2])
def test_only_what_is_missing_or_unsound_is_measured(tmp_path, jobs):
    file = tmp_path / 'out' / 'runs.jsonl'
    chosen = {'by 1': 1, 'by 2': 2}
    first = complete(file, {'weights': 'these'}, (1, 2), chosen, rows_of, jobs)
    file.write_text(file.read_text().replace('"value": 4', '"value": 40'))
    kept = complete(file, {'weights': 'these'}, (1, 2), chosen, rows_of, jobs)
    again = complete(
        file, {'weights': 'these'}, (1, 2), chosen, rows_of, jobs, lambda row: row['value'] < 9
    )

    assert [row['setting'] for row in first] == ['by 1', 'by 1', 'by 2', 'by 2']
    assert sorted(row['value'] for row in first) == [1, 2, 2, 4]
    assert sorted(row['value'] for row in kept) == [1, 2, 2, 40]
    assert sorted(row['value'] for row in again) == [1, 2, 2, 4]


@pytest.mark.parametrize('command', [methods, segments])
def test_other_processes_find_what_they_are_sent(command, tmp_path, monkeypatch):
    """A package's `__main__` is not imported by the processes that it begins."""
    sent = []
    monkeypatch.setattr(command, 'complete', lambda *given: sent.append(given[4]) or [])
    monkeypatch.setattr(command, 'report', lambda rows: '')
    command.main(['--jobs', '2', '--runs', str(tmp_path / 'runs.jsonl')])

    assert len(sent) == 1
    assert not sent[0].func.__module__.endswith('__main__')
