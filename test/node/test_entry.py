# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What has to be settled before torch is imported."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import sys
from xstreamvggt_ros.node import main
assert 'torch' not in sys.modules
import os, types
# In the place of the node, whose own tests run it.
lifecycle = types.ModuleType('xstreamvggt_ros.node.lifecycle')
lifecycle.main = lambda args: print(os.environ['OMP_WAIT_POLICY'])
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
