# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which changes of the code make runs anew."""

import subprocess
import sys

from layouts import save_image
import pytest

from xstreamvggt_ros.evaluation.code_version import code_version, LIVE_ONLY, NO_PART, PACKAGE

# What is left out cannot be had, and a run goes through all the same.
WITHOUT = """
import sys
for name in {missing}:
    sys.modules[f'xstreamvggt_ros.{{name}}'] = None
from pathlib import Path
from xstreamvggt_ros.evaluation.config import RunConfig
from xstreamvggt_ros.evaluation.plan import PlannedRun, SequenceSpec
from xstreamvggt_ros.evaluation.running import execute
config = RunConfig(checkpoint='random', image_size=56, device='cpu', max_frames=3)
spec = SequenceSpec({path!r})
run = PlannedRun(spec, config, 'x', 'x', 'x', 'x', Path({output!r}, 'run'))
assert execute(run).info['code'], 'it says which code made it'
assert run.finished
"""


def tree(folder, changed=''):
    """Write a small package, one file of it with other contents."""
    for name in ('stream.py', 'node/a.py', 'evaluation/report/b.py', 'training/c.py'):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text('changed' if name == changed else 'as it was')
    return folder


@pytest.mark.parametrize(
    ('changed', 'modes'),
    [
        ('stream.py', {'exact', 'live'}),
        ('node/a.py', {'live'}),
        ('evaluation/report/b.py', set()),
        ('training/c.py', set()),
    ],
)
def test_it_follows_the_sources_that_have_a_part(tmp_path, changed, modes):
    before, after = tree(tmp_path / 'before'), tree(tmp_path / 'after', changed)

    assert modes == {
        mode
        for mode in ('exact', 'live')
        if code_version(mode, before) != code_version(mode, after)
    }


def test_an_exact_run_needs_nothing_of_what_is_left_out(tmp_path):
    for index in range(3):
        save_image(tmp_path / 'seq' / f'frame-{index:06d}.color.png', index)
    missing = [name.replace('/', '.') for name in (*NO_PART, *LIVE_ONLY)]
    assert all((PACKAGE / name).is_dir() for name in (*NO_PART, *LIVE_ONLY))
    program = WITHOUT.format(missing=missing, path=str(tmp_path / 'seq'), output=str(tmp_path))

    result = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=False, timeout=120
    )

    assert result.returncode == 0, result.stderr
