# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stand-ins for a run, which processes of a sweep can import."""

import os
from pathlib import Path
import signal
import time

MARK = 'made.txt'


def leave_mark(run):
    """Succeed, except where the budget says how to fail: '1f' raises, '2f' dies."""
    if run.config.budget == '1f':
        raise ValueError('one frame is not enough')
    if run.config.budget == '2f':
        os.kill(os.getpid(), signal.SIGKILL)
    run.folder.mkdir(parents=True, exist_ok=True)
    (run.folder / MARK).write_text(os.environ['OMP_NUM_THREADS'])


def wait_for_an_end(run):
    """Say that it has begun, then take for ever; say so where it is interrupted."""
    run.folder.mkdir(parents=True)
    (run.folder / 'begun').write_text(str(os.getpid()))
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        (run.folder / 'interrupted').touch()
        raise


def sweep_for_ever(folder):
    """Run a sweep whose runs take for ever; for a process that is killed."""
    from xstreamvggt_ros.evaluation.plan import PlannedRun, SequenceSpec
    from xstreamvggt_ros.evaluation.run_config import RunConfig
    from xstreamvggt_ros.evaluation.workers import local_runs

    config = RunConfig()
    run = PlannedRun(SequenceSpec('x'), config, 'x', 'x', 'x', 'x', Path(folder, 'x'))
    list(local_runs([run], wait_for_an_end, 1, 1))
