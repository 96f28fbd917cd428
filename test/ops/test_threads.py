# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Threads sleep while they wait, and are as many as there are cores, unless the user says so."""

import os
from pathlib import Path
import subprocess
import sys

from xstreamvggt_ros.ops.threads import usable_cores

ROOT = Path(__file__).parents[2]


def ran(code, **environment):
    plain = {
        name: value
        for name, value in os.environ.items()
        if name not in ('OMP_WAIT_POLICY', 'OMP_NUM_THREADS')
    }
    done = subprocess.run(
        [sys.executable, '-c', code],
        env=plain | environment | {'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.split(), done.stderr


CONFIGURED = """
from xstreamvggt_ros.ops.threads import configure_threads
import os, torch
print(configure_threads(), os.environ['OMP_WAIT_POLICY'], torch.get_num_threads())
"""


def test_importing_the_package_has_threads_sleep():
    (count, policy, threads), said = ran(CONFIGURED)

    assert policy == 'PASSIVE'
    assert count == threads == str(usable_cores())
    assert 'spin' not in said


def test_what_the_user_has_set_stays():
    (count, policy, _), said = ran(CONFIGURED, OMP_WAIT_POLICY='ACTIVE', OMP_NUM_THREADS='1')

    assert (count, policy) == ('1', 'ACTIVE')
    assert 'spin' not in said


def test_torch_imported_first_is_told_since_it_has_asked_already():
    _, said = ran('import torch' + CONFIGURED)

    assert 'import xstreamvggt_ros first' in said


def test_a_container_s_quota_bounds_the_cores(tmp_path):
    quota = tmp_path / 'cpu.max'
    cores = len(os.sched_getaffinity(0))

    for text, expected in (
        ('50000 100000', 1),
        ('max 100000', cores),
        ('99900000 100000', cores),
        ('nonsense', cores),
    ):
        quota.write_text(text)
        assert usable_cores(quota) == expected
    assert usable_cores(tmp_path / 'absent') == cores
