# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Children do not outlive the demo."""

import os
import signal
import sys
import time

import pytest

from xstreamvggt_ros.rig import processes
from xstreamvggt_ros.rig.processes import Child

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])
print(grandchild.pid, flush=True)
time.sleep(600)
"""


def _wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _alive(pid):
    """Say whether a process runs; one that nobody has waited for yet does not."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


def test_output_and_errors_go_to_the_log(tmp_path):
    log = tmp_path / 'log'
    program = 'import sys; print("out"); print("err", file=sys.stderr); sys.exit(3)'
    with Child([sys.executable, '-c', program], log) as child:
        _wait_for(lambda: child.exit_code is not None)
        assert child.exit_code == 3
    assert log.read_text().split() == ['out', 'err']


def test_ctrl_c_of_the_terminal_does_not_reach_the_child(tmp_path):
    with Child([sys.executable, '-c', 'import time; time.sleep(600)'], tmp_path / 'log') as child:
        assert os.getpgid(child.pid) == child.pid != os.getpgrp()


@pytest.mark.parametrize('error', [None, KeyboardInterrupt])
def test_leaving_ends_the_child_whatever_the_reason(tmp_path, error):
    program = 'import time; print("ready", flush=True); time.sleep(600)'
    try:
        with Child([sys.executable, '-c', program], tmp_path / 'log') as child:
            _wait_for(lambda: 'ready' in (tmp_path / 'log').read_text())
            if error:
                raise error
    except KeyboardInterrupt:
        pass
    # Python ends so by SIGINT, the first thing that it is asked to end with.
    assert child.exit_code in (-signal.SIGINT, 1, 130)


def test_a_child_that_does_not_listen_is_killed_with_its_own(tmp_path, monkeypatch):
    log = tmp_path / 'log'
    short = tuple((number, 0.2) for number, _ in processes.STOP_SIGNALS[:-1])
    monkeypatch.setattr(processes, 'STOP_SIGNALS', (*short, processes.STOP_SIGNALS[-1]))
    with Child([sys.executable, '-c', STUBBORN], log) as child:
        _wait_for(lambda: log.read_text().strip().isdecimal())
    assert child.exit_code == -signal.SIGKILL
    _wait_for(lambda: not _alive(int(log.read_text())))
