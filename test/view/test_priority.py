# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The view gives way to the node, by itself and by its session."""

import subprocess
import sys

import pytest

from xstreamvggt_ros.view.command import main

PROGRAM = """
import os
from pathlib import Path
import threading
from xstreamvggt_ros.view.priority import give_way, threads

ended = threading.Event()
before = threading.Thread(target=ended.wait, daemon=True)
before.start()
others = threads() - {{threading.get_native_id()}}
after = threading.Thread(target=ended.wait, daemon=True)
after.start()
give_way({nice}, others)
group = Path('/proc/self/autogroup')
nices = [os.getpriority(os.PRIO_PROCESS, each.native_id) for each in (before, after)]
ended.set()
told = group.read_text().split() if group.exists() else []
print(os.nice(0), *nices, *told[-1:])
"""


def given(nice, own_session, before=''):
    """Return how nice a program, a thread of others, its own and its session are then."""
    command = [sys.executable, '-c', before + PROGRAM.format(nice=nice)]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, start_new_session=own_session
    )
    return [int(each) for each in done.stdout.split()]


def test_a_process_stands_back_and_its_own_session_with_it():
    before, *_ = given(0, own_session=True)
    program, others, own, *session = given(7, own_session=True)
    assert program == own == min(19, before + 7)
    assert others == before
    # A system tells nothing where it weighs control groups instead, as in many a container.
    assert session in ([], [7])


def test_a_session_that_is_not_its_own_is_left_as_it_is():
    _, _, _, *before = given(0, own_session=False)
    _, _, _, *session = given(7, own_session=False)
    assert session == before


def test_a_session_that_cannot_be_told_to_is_left_as_it_is(tmp_path):
    # What cannot be written to, as /proc of a container; a folder cannot by root either.
    before = f"""
from pathlib import Path
from xstreamvggt_ros.view import priority
priority.AUTOGROUP = Path({str(tmp_path)!r})
"""
    program, others, own, *_ = given(7, own_session=True, before=before)
    assert program == own == min(19, others + 7)


@pytest.mark.parametrize('nice', ['-1', '20', 'much'])
def test_how_far_to_stand_back_is_within_what_there_is(nice, capsys):
    with pytest.raises(SystemExit):
        main(['--nice', nice])
    assert nice in capsys.readouterr().err


@pytest.mark.parametrize(
    ('option', 'value', 'wrong'),
    [
        ('--rate', '0', '0 is not from 0.1 to 100'),
        ('--rate', '-5', '-5 is not from 0.1 to 100'),
        ('--rate', 'nan', 'nan is not from 0.1 to 100'),
        ('--rate', 'inf', 'inf is not from 0.1 to 100'),
        ('--rate', 'fast', "'fast'"),
        ('--map-points', '-1', '-1 is below 0'),
        ('--node', 'my robot', "'my robot' is no name"),
        ('--camera', '1', "'1' is no name"),
        ('--loop-closures', '/slam//closures', "'/slam//closures' is no name"),
        ('--map-points', '1.5', "'1.5'"),
    ],
)
def test_what_would_hold_the_page_up_is_refused(option, value, wrong, capsys):
    with pytest.raises(SystemExit):
        main([f'{option}={value}'])
    assert wrong in capsys.readouterr().err
