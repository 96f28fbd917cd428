# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The kernels of a frame, compiled for every GPU that the package names; none is needed."""

import os
from pathlib import Path
import subprocess
import sys

import pytest

pytest.importorskip('triton', reason='Triton is not installed')

ROOT = Path(__file__).resolve().parents[2]
CAPABILITIES = (80, 86, 87, 89, 90)
# Of a thread; beyond that a block of 256 threads leaves a device idle.
MOST_REGISTERS = 200


@pytest.mark.slow
def test_every_kernel_of_a_frame_compiles_for_every_gpu_and_spills_nothing():
    # The interpreter, where tests have it on, would take the place of the compiler.
    environment = {k: v for k, v in os.environ.items() if k != 'TRITON_INTERPRET'}
    arguments = ['--once', '--policies', 'attention_coverage', 'query_key']
    out = subprocess.run(
        [sys.executable, '-m', 'benchmarks.kernels', *arguments],
        cwd=ROOT,
        env={**environment, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = [line.split('|')[1:6] for line in out.splitlines() if line.startswith('| _')]
    kernels = {row[0].strip() for row in rows}
    assert len(kernels) >= 18
    assert {(row[0].strip(), int(row[1])) for row in rows} == {
        (kernel, capability) for kernel in kernels for capability in CAPABILITIES
    }
    for kernel, capability, registers, spilled, _ in rows:
        assert int(spilled) == 0, (kernel, capability)
        assert int(registers) <= MOST_REGISTERS, (kernel, capability)
