# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What has to be settled before torch is imported."""

import os
import signal
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
process = types.ModuleType('xstreamvggt_ros.node.process')
process.main = lambda args, autostart: print(os.environ['OMP_WAIT_POLICY'])
sys.modules[process.__name__] = process
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


@pytest.mark.ros
@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_torch_is_imported_ends_quietly(tmp_path, number):
    slow = "import time\nprint('importing', flush=True)\ntime.sleep(60)\n"
    (tmp_path / 'torch.py').write_text(slow)
    code = "from xstreamvggt_ros.node import main; main(['reconstruction_node'])"
    path = os.pathsep.join([str(tmp_path), os.getcwd(), os.environ.get('PYTHONPATH', '')])
    run = subprocess.Popen(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert run.stdout.readline() == 'importing\n', run.stderr.read()
    run.send_signal(number)

    assert run.wait(30) == 0
    assert run.stderr.read() == ''
