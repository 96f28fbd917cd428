# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: a run is not begun over."""

import shutil

import pytest
from shapes import SMALLEST

from xstreamvggt_ros.model.config import PRESETS
from xstreamvggt_ros.training.__main__ import main
from xstreamvggt_ros.training.config import RECIPES, Stage, TrainingConfig
from xstreamvggt_ros.training.prerender import prerender
from xstreamvggt_ros.training.shards import ShardFolder

RECIPE = TrainingConfig(
    stages=(Stage(1.0, (42, 56), ((1, 2),), (1, 1)),),
    steps=1,
    held_out=1,
    held_out_frames=2,
    rendered=(42, 56),
)


@pytest.fixture(scope='module')
def training(tmp_path_factory):
    """Give the command line, on shards and networks that are as small as can be."""
    shards = tmp_path_factory.mktemp('shards')
    prerender(ShardFolder(shards), 0, 1, most=1, size=(42, 56), frames=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, 'cpu', RECIPE)
        patch.setitem(PRESETS, 'tiny', SMALLEST)

        def run(folder, *options):
            command = ['--run', folder, '--shards', shards, '--device', 'cpu', *options]
            patch.setattr('sys.argv', ['training', *map(str, command)])
            main()

        yield run


@pytest.fixture(scope='module')
def finished(training, tmp_path_factory):
    folder = tmp_path_factory.mktemp('finished')
    training(folder)
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / 'run')


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def error_of(capsys, training, folder, *options):
    with pytest.raises(SystemExit) as ending:
        training(folder, *options)
    assert ending.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_a_run_is_not_begun_over(training, folder, capsys):
    before = contents(folder)
    error = error_of(capsys, training, folder)
    assert f'{folder} holds last.pt: give --resume or another --run' in error
    assert contents(folder) == before
