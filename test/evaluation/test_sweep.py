# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs in processes of their own, here and on a cluster: failures, deaths, ends."""

import json
import logging
import multiprocessing
import os
from pathlib import Path
import signal
import time

from filmed import Filmed
import pytest
from recorded import CONFIG, oracle_record, PROTOCOL
from runs import leave_mark, MARK, sweep_for_ever, wait_for_an_end

from xstreamvggt_ros.evaluation.code_version import code_version
from xstreamvggt_ros.evaluation.lock import FolderBusy
from xstreamvggt_ros.evaluation.plan import Plan, PlannedRun, SequenceSpec
from xstreamvggt_ros.evaluation.record import rewrite_metrics
from xstreamvggt_ros.evaluation.run_config import RunConfig
from xstreamvggt_ros.evaluation.sweep import Means, read_errors, sweep
from xstreamvggt_ros.evaluation.workers import local_runs

DEADLINE = 60.0


def planned(folder, *budgets):
    return Plan(
        tuple(
            PlannedRun(
                SequenceSpec('x'),
                RunConfig().varied(budget=budget),
                'made',
                'synthetic',
                'fingerprint',
                'weights',
                folder / f'run-{budget}',
            )
            for budget in budgets
        )
    )


def wait(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie is dead too.
    return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] != 'Z'


def test_one_that_fails_and_one_that_dies_take_no_other_with_them(tmp_path):
    told = []

    result = sweep(
        planned(tmp_path, '1f', '2f', '3f', '4f'),
        tmp_path,
        Means(jobs=1, threads=1),
        lambda run, failure, made: told.append((run.config.budget, made)),
        leave_mark,
    )

    assert (result.made, result.already_there) == (2, 0)
    assert [(run.config.budget, failure.kind) for run, failure in result.failed] == [
        ('1f', 'ValueError'),
        ('2f', 'ProcessDied'),
    ]
    assert sorted(told) == [(f'{n}f', True) for n in (1, 2, 3, 4)]
    assert [(tmp_path / f'run-{n}f' / MARK).read_text() for n in (3, 4)] == ['1', '1']
    raised, died = read_errors(tmp_path)
    assert raised['message'] == 'one frame is not enough'
    assert 'leave_mark' in raised['trace']
    assert 'memory' in died['message']


@pytest.fixture
def kept(tmp_path):
    """Plan one run, whose record is there."""
    sequence = Filmed(count=3)
    record = oracle_record(tmp_path / 'run', sequence=sequence)
    rewrite_metrics(record, {'code': code_version('exact')})
    run = PlannedRun(
        SequenceSpec('x'),
        CONFIG,
        sequence.name,
        sequence.dataset,
        sequence.fingerprint(),
        'oracle',
        record.folder,
        PROTOCOL,
    )
    return Plan((run,)), record


def test_what_is_finished_is_not_made_again(kept, tmp_path, caplog):
    assert sweep(kept[0], tmp_path, Means(), execute=leave_mark).already_there == 1
    assert caplog.records == []


@pytest.mark.parametrize('change', [{'code': '0.0.1 abc'}, {'key': 'abc'}, {'schema': 999}])
def test_what_other_code_made_is_made_again_and_why_is_said(kept, tmp_path, caplog, change):
    rewritten = {**kept[1].info, **change}
    (kept[1].folder / 'record.json').write_text(json.dumps(rewritten))

    with caplog.at_level(logging.WARNING):
        result = sweep(kept[0], tmp_path, Means(), execute=leave_mark)

    assert (result.made, result.already_there) == (1, 0)
    (said,) = caplog.messages
    assert 'room: unbounded' in said
    assert 'run again' in said
    words = {'code': f'made by 0.0.1 abc, and this is {code_version("exact")}'}
    assert words.get(next(iter(change)), str(kept[1].folder)) in said


def test_an_error_is_forgotten_once_the_run_succeeds(tmp_path):
    (run,) = planned(tmp_path, '3f').runs
    run.error_file.write_text('{"run": "x", "message": "was worse"}')

    sweep(Plan((run,)), tmp_path, Means(), execute=leave_mark)

    assert read_errors(tmp_path) == []


def test_an_error_beside_a_finished_run_is_forgotten(tmp_path, monkeypatch):
    (run,) = planned(tmp_path, '3f').runs
    run.error_file.write_text('{"run": "x", "message": "was worse"}')
    monkeypatch.setattr(PlannedRun, 'finished', property(lambda run: True))

    assert sweep(Plan((run,)), tmp_path, Means(), execute=leave_mark).already_there == 1

    assert read_errors(tmp_path) == []


def test_two_sweeps_do_not_write_to_one_folder(tmp_path):
    def tell(run, failure, made):
        with pytest.raises(FolderBusy, match='another `evaluate run`'):
            sweep(Plan(), tmp_path, Means())

    assert sweep(planned(tmp_path, '3f'), tmp_path, Means(), tell, leave_mark).made == 1


# A shell leaves SIGINT ignored in what it starts in the background, and that is inherited.
@pytest.mark.parametrize('inherited', [signal.default_int_handler, signal.SIG_IGN])
def test_a_sweep_that_is_left_interrupts_its_runs(tmp_path, inherited):
    (run,) = planned(tmp_path, '3f').runs
    finished = local_runs([run], wait_for_an_end, 1, 1)
    begun = run.folder / 'begun'

    def leave_when_begun(*_):
        wait(begun.exists)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, leave_when_begun)
    interrupted = signal.signal(signal.SIGINT, inherited)
    try:
        signal.alarm(1)
        with pytest.raises(KeyboardInterrupt):
            next(finished)
        finished.close()
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.signal(signal.SIGINT, interrupted)

    assert (run.folder / 'interrupted').exists()
    wait(lambda: not alive(int(begun.read_text())))


def test_a_sweep_that_is_killed_leaves_no_process_behind(tmp_path):
    process = multiprocessing.get_context('spawn').Process(
        target=sweep_for_ever, args=(str(tmp_path),)
    )
    process.start()
    begun = tmp_path / 'x' / 'begun'
    wait(lambda: begun.exists() and begun.read_text())

    process.kill()
    process.join()

    wait(lambda: not alive(int(begun.read_text())))
    assert (tmp_path / 'x' / 'interrupted').exists()


@pytest.mark.slow
def test_a_cluster_s_runs_end_the_same_way(tmp_path, monkeypatch):
    pytest.importorskip('ray', reason='the extra `ray` is not installed')
    # Its processes are not this one's children, and have to find the stand-in themselves.
    monkeypatch.setenv('PYTHONPATH', str(Path(__file__).parents[1] / 'support'))
    monkeypatch.setenv('RAY_AUTH_MODE', 'disabled')

    result = sweep(
        planned(tmp_path, '1f', '2f', '3f'),
        tmp_path,
        Means(threads=1, ray_address='local'),
        execute=leave_mark,
    )

    failed = {run.config.budget: failure for run, failure in result.failed}
    assert failed.keys() == {'1f', '2f'}
    assert (failed['1f'].kind, failed['1f'].message) == ('ValueError', 'one frame is not enough')
    assert failed['2f'].kind == 'WorkerCrashedError'
    assert (tmp_path / 'run-3f' / MARK).read_text() == '1'
