# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: a run is neither begun over nor gone on with under other settings."""

import contextlib
from dataclasses import replace
import json
from pathlib import Path
import shutil

import pytest
from safetensors.torch import load_file
from shapes import SMALLEST
import torch

from xstreamvggt_ros.model import load_checkpoint, StreamVGGT
from xstreamvggt_ros.model.model_config import PRESETS
from xstreamvggt_ros.training.__main__ import main
from xstreamvggt_ros.training.config import RECIPES, Stage, TrainingConfig
from xstreamvggt_ros.training.export import Export
from xstreamvggt_ros.training.journal import Journal
from xstreamvggt_ros.training.packed import read_notes
from xstreamvggt_ros.training.prerender import prerender
from xstreamvggt_ros.training.renderers import Renderers
from xstreamvggt_ros.training.shards import ShardFolder
from xstreamvggt_ros.training.ship import ship

RECIPE = TrainingConfig(
    stages=(Stage(1.0, (42, 56), ((1, 2),), (1, 1)),),
    steps=1,
    held_out=1,
    held_out_frames=2,
    rendered=(42, 56),
)

WIDER = replace(SMALLEST, embed_dim=128, num_heads=2, camera_heads=4, dpt_features=32)


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
        patch.setitem(PRESETS, 'small', WIDER)

        def run(folder, *options, rendered=True):
            command = ['--run', folder, '--device', 'cpu', *options]
            command += ['--shards', shards] if rendered and '--shards' not in options else []
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
        (('--minutes', '0'), 'minutes is 0.0; give more than 0'),
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


def test_a_wider_network_begins_at_the_weights_of_a_narrower_one(training, folder, tmp_path):
    run = tmp_path / 'wider'
    training(run, '--preset', 'small', '--init', folder / 'best-42x56.safetensors', '--lr', 1e-9)
    narrow, wide = (
        load_file(each / 'best-42x56.safetensors')['aggregator.global_blocks.0.attn.qkv.weight']
        for each in (folder, run)
    )
    torch.testing.assert_close(wide[:64, :64], narrow[:64])
    assert wide.shape == (384, 128)


def test_a_network_that_is_no_widening_is_refused(training, folder, tmp_path, capsys):
    wider = tmp_path / 'wider.safetensors'
    Export(StreamVGGT(WIDER)).write(wider)
    error = error_of(capsys, training, tmp_path / 'other', '--init', wider)
    assert 'embed_dim 128' in error and 'cannot become 64' in error


def test_a_run_by_the_clock_renders_what_it_trains_on_and_goes_on(training, tmp_path):
    folder = tmp_path / 'run'
    quick = ('--recipe', 'gpu', '--quick')
    training(folder, *quick, '--renderers', '1', '--minutes', '0.03', rendered=False)
    last = folder / 'last.safetensors'
    assert last.stat().st_size <= 16 << 20
    before = read_notes(last)
    assert before['step'] > 0 and before['spent'] >= 1.8
    rows = Journal(folder / 'log.jsonl').rows('training')
    assert rows[-1]['frames_per_second'] > 0
    load_checkpoint(StreamVGGT(SMALLEST), folder / 'best-42x56.safetensors')
    assert not [each for each in Path('/proc').glob('[0-9]*') if folder.name in command_of(each)]

    going_on = ('--renderers', '0', '--minutes', '0.05', '--resume')
    training(folder, *quick, *going_on, rendered=False)
    after = read_notes(last)
    assert after['step'] > before['step']
    assert after['spent'] == pytest.approx(3, abs=1.5)
    found = ship(folder, tmp_path / 'shipped.safetensors', SMALLEST)
    assert found['abs_rel'] > 0


def command_of(process):
    """Return what a renderer of this run would be called."""
    with contextlib.suppress(OSError):
        command = (process / 'cmdline').read_bytes().decode(errors='replace')
        return command if 'prerender' in command else ''
    return ''


@pytest.mark.parametrize('resume', [('--resume',), ()])
def test_minutes_of_another_run_are_not_those_of_steps(training, folder, capsys, resume):
    before = contents(folder)
    error = error_of(capsys, training, folder, *resume, '--minutes', '1')
    assert 'holds last.pt, of a run by steps, and no last.safetensors: give another' in error
    assert contents(folder) == before


def test_steps_of_another_run_are_not_those_of_minutes(training, tmp_path, capsys):
    (tmp_path / 'last.safetensors').write_bytes(b'of a run by the clock')
    error = error_of(capsys, training, tmp_path, '--steps', '1')
    assert 'holds last.safetensors, of a run by minutes, and no last.pt: give another' in error


def test_what_is_of_two_runs_or_none_does_not_ship(folder, tmp_path):
    (folder / 'last.safetensors').write_bytes(b'of another run')
    with pytest.raises(ValueError, match='holds last.pt and last.safetensors, of two runs'):
        ship(folder, tmp_path / 'shipped.safetensors', SMALLEST)
    with pytest.raises(ValueError, match='holds nothing that was trained'):
        ship(tmp_path, tmp_path / 'shipped.safetensors', SMALLEST)
    assert not (tmp_path / 'shipped.safetensors').exists()


def test_renderers_that_fail_are_said(tmp_path):
    (tmp_path / 'shards').write_text('in the way')
    with pytest.raises(OSError, match='exists'):
        Renderers(tmp_path / 'shards', 1, (42, 56), 2, most=1)
    renderers = Renderers(tmp_path / 'other', 1, (-14, 56), 2, most=1)
    for each in renderers._each:
        each.wait()
    with pytest.raises(RuntimeError, match='every renderer has ended, with \\[1\\]'):
        renderers.check()
    renderers.stop()
