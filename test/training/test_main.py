# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: a run is neither begun over nor gone on with under other settings."""

from dataclasses import replace
import json
import shutil

import pytest
from shapes import SMALLEST
import torch

from xstreamvggt_ros.model.model_config import PRESETS
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
        patch.setitem(RECIPES, 'cpu-larger', replace(RECIPE, depth_share=0.3))
        patch.setitem(PRESETS, 'tiny', SMALLEST)
        patch.setitem(PRESETS, 'streamvggt', replace(SMALLEST, camera_heads=1))

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


@pytest.mark.parametrize(
    ('options', 'difference'),
    [
        (('--lr', '0.5'), 'lr 0.001, not 0.5'),
        (('--recipe', 'cpu-larger'), 'depth_share 0.5, not 0.3'),
        (('--preset', 'streamvggt'), 'camera_heads 2, not 1'),
        (('--seed', '1'), 'seed 0, not 1'),
    ],
)
def test_going_on_with_other_settings_is_refused(training, folder, capsys, options, difference):
    before = contents(folder)
    error = error_of(capsys, training, folder, '--resume', *options)
    assert f'last.pt was trained with {difference}; ' in error
    assert contents(folder) == before


def test_more_steps_lengthen_a_run(training, folder):
    training(folder, '--resume', '--steps', '2')
    assert torch.load(folder / 'last.pt', weights_only=True)['step'] == 2
    assert json.loads((folder / 'config.json').read_text())['steps'] == 2


def test_files_that_do_not_say_their_settings_are_gone_on_with(training, folder, capsys):
    state = torch.load(folder / 'last.pt', weights_only=True)
    del state['settings']
    torch.save(state, folder / 'last.pt')
    assert 'seed 0, not 1' in error_of(capsys, training, folder, '--resume', '--seed', '1')
    training(folder, '--resume', '--lr', '0.5')
    assert json.loads((folder / 'config.json').read_text())['lr'] == 0.5


def test_a_run_starts_from_its_own_weights_or_others(training, folder, capsys):
    error = error_of(capsys, training, folder, '--resume', '--init', 'best.safetensors')
    assert 'not allowed with argument' in error


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        (('--resume',), 'holds no last.pt: leave out --resume'),
        (('--shards', 'nowhere'), 'nowhere holds no shard'),
        (('--preset', 'huge'), "preset is 'huge'"),
    ],
)
def test_what_cannot_begin_leaves_nothing(training, tmp_path, capsys, options, expected):
    assert expected in error_of(capsys, training, tmp_path / 'run', *options)
    assert list(tmp_path.iterdir()) == []


def test_a_chosen_schedule_stays_when_the_run_goes_on(training, tmp_path):
    folder = tmp_path / 'run'
    training(folder, '--steps', 2)
    training(folder, '--resume')
    assert json.loads((folder / 'config.json').read_text())['steps'] == 2
