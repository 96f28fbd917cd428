# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What has to be settled before torch is imported."""

import os
import subprocess
import sys

import pytest

from xstreamvggt_ros.node import main

PROGRAM = """
import sys
from xstreamvggt_ros.node import main
assert 'torch' not in sys.modules
import os, types
# In the place of the node, whose own tests run it.
lifecycle = types.ModuleType('xstreamvggt_ros.node.lifecycle')
lifecycle.main = lambda args, autostart: print(os.environ['OMP_WAIT_POLICY'])
sys.modules[lifecycle.__name__] = lifecycle
main()
"""


@pytest.mark.parametrize(('given', 'expected'), [(None, 'PASSIVE'), ('ACTIVE', 'ACTIVE')])
def test_torch_s_threads_are_told_to_sleep_before_torch_is_imported(given, expected):
    environment = dict(os.environ)
    environment.pop('OMP_WAIT_POLICY', None)
    if given:
        environment['OMP_WAIT_POLICY'] = given

    run = subprocess.run(
        [sys.executable, '-c', PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.stdout.split() == [expected], run.stderr


@pytest.mark.parametrize(('wanted', 'expected'), [('--help', 0), ('--autostrat', 2)])
def test_help_and_unknown_arguments_get_the_usage_and_no_node(wanted, expected, capsys):
    with pytest.raises(SystemExit) as end:
        main(['reconstruction_node', wanted])

    said = ''.join(capsys.readouterr())
    assert end.value.code == expected
    assert said.startswith('usage: reconstruction_node [--autostart] [--ros-args')
    for words in (
        ('docs/reference.md', 'config/recon.yaml', '-r image:=') if expected == 0 else (wanted,)
    ):
        assert words in said


@pytest.mark.ros
def test_a_wrong_type_of_ros_s_own_parameter_gets_a_sentence():
    code = (
        "from xstreamvggt_ros.node import main; main(['n', '--ros-args', '-p', 'use_sim_time:=x'])"
    )
    run = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)

    assert run.returncode == 1
    assert 'use_sim_time' in run.stderr and "expecting type 'BOOL'" in run.stderr
    assert 'Traceback' not in run.stderr
