# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which changes of the code make runs anew."""

import subprocess
import sys

from layouts import save_image
import pytest

from xstreamvggt_ros.evaluation.code_version import code_version, STARTS, WITHOUT
from xstreamvggt_ros.files.code_digest import PACKAGE, sources

# A run by whose end every module of the package that it loaded is known.
RUN = """
import sys
from pathlib import Path
from xstreamvggt_ros.evaluation.run_config import RunConfig
from xstreamvggt_ros.evaluation.plan import PlannedRun, SequenceSpec
from xstreamvggt_ros.evaluation.running import execute
config = RunConfig(checkpoint='random', image_size=56, device='cpu', max_frames=3)
spec = SequenceSpec({path!r})
run = PlannedRun(spec, config, 'x', 'x', 'x', 'x', Path({output!r}, 'run'))
assert execute(run).info['code'], 'it says which code made it'
assert run.finished
for name, module in sys.modules.items():
    if name.startswith('xstreamvggt_ros'):
        print(module.__file__)
"""
# A small package: what each of its files holds.
FILES = {
    '__init__.py': '',
    'evaluation/__init__.py': '',
    'evaluation/running.py': """
from package.evaluation.replay import replay
def run():
    from package.evaluation.live import live
""",
    'evaluation/replay.py': 'import package.stream.step\nfrom package import world',
    'evaluation/live.py': 'from package.rig import player',
    'evaluation/report.py': 'from package.evaluation.replay import replay',
    'stream/__init__.py': 'from package.stream.frame import Frame',
    'stream/frame.py': '',
    'stream/step.py': '',
    'world/__init__.py': '',
    'node/__init__.py': 'from package.stream import Frame',
    'rig/player.py': 'from package.parameters import table',
    'rig/other.py': '',
    'parameters/table.py': '',
    'training/trainer.py': '',
}


def tree(folder, changed=''):
    """Write the small package, one file of it with other contents."""
    for name, text in FILES.items():
        file = folder / 'package' / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f'{text}\nCHANGED = True\n' if name == changed else text)
    return folder / 'package'


@pytest.mark.parametrize(
    ('changed', 'modes'),
    [
        ('__init__.py', {'exact', 'live'}),
        ('evaluation/running.py', {'exact', 'live'}),
        ('evaluation/replay.py', {'exact', 'live'}),
        ('stream/step.py', {'exact', 'live'}),
        # Imported by the folder's own file.
        ('stream/frame.py', {'exact', 'live'}),
        ('world/__init__.py', {'exact', 'live'}),
        ('evaluation/live.py', {'live'}),
        ('node/__init__.py', {'live'}),
        ('rig/player.py', {'live'}),
        ('parameters/table.py', {'live'}),
        ('rig/other.py', set()),
        ('evaluation/report.py', set()),
        ('training/trainer.py', set()),
    ],
)
def test_it_follows_the_sources_that_have_a_part(tmp_path, changed, modes):
    before, after = tree(tmp_path / 'before'), tree(tmp_path / 'after', changed)

    assert modes == {
        mode
        for mode in ('exact', 'live')
        if code_version(mode, before) != code_version(mode, after)
    }


def test_all_that_an_exact_run_loads_has_a_part_and_nothing_of_the_node(tmp_path):
    for index in range(3):
        save_image(tmp_path / 'seq' / f'frame-{index:06d}.color.png', index)
    program = RUN.format(path=str(tmp_path / 'seq'), output=str(tmp_path))

    result = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=False, timeout=120
    )

    assert result.returncode == 0, result.stderr
    known = {str(file) for file in _sources('exact')}
    # The package's own beginning is all that a run does without being asked.
    assert set(result.stdout.split()) <= known
    rooms = {file.relative_to(PACKAGE).parts[0] for file in _sources('exact')}
    assert not rooms & {'node', 'rig', 'demo', 'messages', 'parameters', 'transport'}
    assert {'node', 'rig', 'messages'} <= {
        file.relative_to(PACKAGE).parts[0] for file in _sources('live')
    }


def _sources(mode):
    return sources(STARTS[mode], WITHOUT[mode])
