# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The check of a GPU runs from one command, survives what fails, and ends with what is asked."""

import json
import os
from pathlib import Path
import subprocess
import sys

import pytest
import torch

from benchmarks.gpu_check.targets import Target, TARGETS, targets_table

ROOT = Path(__file__).parents[2]


def check(output, *arguments):
    environment = os.environ | {'OUT': str(output), 'PYTHON': sys.executable}
    done = subprocess.run(
        [ROOT / 'benchmarks' / 'gpu_check.sh', *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=True,
    )
    return done.stdout, json.loads((output / 'gpu_check.json').read_text(encoding='utf-8'))


def test_a_quick_run_on_a_cpu_finds_figures_and_ends_with_the_table(tmp_path):
    parts = ('golden', 'peaks', 'step', 'pipeline', 'fp32')

    text, results = check(tmp_path, '--device', 'cpu', '--quick', '--parts', *parts)

    assert set(results) == set(parts)
    assert not any('error' in found for found in results.values()), results
    assert 0 < results['golden']['float32'] < 2e-5 < results['golden']['bfloat16'] < 0.05
    assert results['step']['eager_2048'] > 0
    assert results['pipeline']['rate'] > 0
    assert text.rstrip().splitlines()[-1].startswith(f'| {TARGETS[-1].name} |')
    assert 'the figures say nothing' in text
    assert (tmp_path / 'gpu_check.md').read_text(encoding='utf-8') in text


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a CUDA device')
def test_a_part_that_fails_is_told_and_leaves_the_others_be(tmp_path):
    text, results = check(tmp_path, '--device', 'cuda', '--quick', '--parts', 'tests', 'peaks')

    assert 'CUDA' in results['peaks']['error'] or 'cuda' in results['peaks']['error'].lower()
    assert results['tests']['failed'] == 0 and results['tests']['skipped'] == 1
    assert '| not measured |' in text


def test_a_target_is_met_not_met_or_not_measured():
    most = Target('time', 'step', 'ms', 12, 'ms')
    least = Target('rate', 'pipeline', 'rate', 60, 'frames/s', least=True)

    assert most.row({'step': {'ms': 11.0}}) == '| time | <= 12 ms | 11 | met |'
    assert most.row({'step': {'ms': 12.5}}) == '| time | <= 12 ms | 12.5 | **not met** |'
    assert least.row({'pipeline': {'rate': 59.0}}).endswith('| **not met** |')
    assert least.row({'pipeline': {'rate': 61.0}}).endswith('| met |')
    assert least.row({'pipeline': {'error': 'why'}}).endswith('| not measured |')
    assert len(targets_table({}).splitlines()) == 2 + len(TARGETS)
