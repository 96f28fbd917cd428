# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole demo: input to files through the real node, and what it says when it cannot."""

import os
from pathlib import Path
import shutil
import subprocess
import sys
import time

import numpy as np
from PIL import Image
import pytest

from xstreamvggt_ros.demo.cli import main
from xstreamvggt_ros.files.bags import open_bag, stamp_of
from xstreamvggt_ros.files.ply import read_ply
from xstreamvggt_ros.files.trajectories import read_tum
from xstreamvggt_ros.inputs import open_sequence, stamp_at
from xstreamvggt_ros.rig.shipped import shipped_parameters

SMALL = ('--param', 'model.image_size:=56', '--param', 'model.checkpoint:=random')


@pytest.fixture
def images(tmp_path):
    """Write four small images and a damaged one between them."""
    folder = tmp_path / 'images'
    folder.mkdir()
    for index in range(5):
        pixels = np.random.default_rng(index).integers(0, 256, (42, 56, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f'{index}.jpg')
    damaged = folder / '2.jpg'
    damaged.write_bytes(damaged.read_bytes()[:300])
    return folder


@pytest.mark.ros
def test_a_folder_becomes_bag_trajectory_cloud_and_sheet(images, tmp_path, capsys):
    out = tmp_path / 'out'
    out.mkdir()
    (out / 'mine.txt').write_text("not the demo's")
    (out / 'cloud.ply').write_text('of a run before')
    (out / 'made_from.txt').write_text(str(images))
    code = main(['--input', str(images), '--output', str(out), *SMALL])
    said = capsys.readouterr().out
    assert code == 0, said
    assert '2.jpgisleftout,adamaged' in ''.join(said.split())
    assert 'RANDOM WEIGHTS' in said
    assert 'none lost; 24 outputs' in ' '.join(said.replace('│', ' ').split())
    stamps = [stamp_at(index, 30.0) for index in (0, 1, 3, 4)]
    assert read_tum(out / 'trajectory.tum').stamps_ns.tolist() == stamps
    assert len(read_ply(out / 'cloud.ply')) > 100
    with Image.open(out / 'contact_sheet.png') as sheet:
        assert sheet.width > 800
    assert '4 processed' in (out / 'node.log').read_text()
    assert (out / 'mine.txt').exists()
    assert sorted(file.name for file in out.iterdir()) == [
        'cloud.ply',
        'contact_sheet.png',
        'made_from.txt',
        'mine.txt',
        'node.log',
        'reconstruction.mcap',
        'trajectory.tum',
    ]
    with open_bag(out / 'reconstruction.mcap') as bag:
        of = {each.topic.removeprefix('/reconstruction/'): each for each in bag.connections}
        odometry = [stamp_of(cdr) for *_, cdr in bag.messages([of['odometry']])]
        ((_, _, cloud),) = bag.messages([of['map']])
        ((_, _, path),) = bag.messages([of['path']])
        assert len(bag.deserialize(path, of['path'].msgtype).poses) == 4
    assert odometry == stamps
    assert stamp_of(cloud) == stamp_of(path) == stamps[-1]
    # What was recorded is itself a bag that can be read.
    depth = open_sequence(out / 'reconstruction.mcap', topic='/reconstruction/depth/image')
    assert [frame.stamp_ns for frame in depth.frames] == stamps


@pytest.mark.ros
@pytest.mark.parametrize('there', [True, False])
def test_how_to_watch_is_one_line_where_rviz2_is(images, tmp_path, capsys, monkeypatch, there):
    monkeypatch.setattr(shutil, 'which', lambda name: f'/usr/bin/{name}' if there else None)
    monkeypatch.setattr('xstreamvggt_ros.demo.run.run', _refused)
    main(['--input', str(images), '--output', str(tmp_path / 'out'), '--domain', '7'])
    line = 'to watch: ROS_DOMAIN_ID=7 ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST rviz2'
    assert (line in capsys.readouterr().out.splitlines()) is there


def _refused(source, options, bag, log, progress):
    from xstreamvggt_ros.rig.lifecycle import NodeError

    log.write_text('')
    raise NodeError('refused')


@pytest.mark.ros
def test_a_node_that_cannot_be_configured_shows_its_log(images, tmp_path, capsys):
    out = tmp_path / 'out'
    out.mkdir()
    of_a_run_before = [out / 'contact_sheet.png', out / 'reconstruction.mcap']
    for path in of_a_run_before:
        path.write_bytes(b'old')
    (out / 'made_from.txt').write_text(str(images))
    refused = ('--param', 'model.device:=abacus')
    assert main(['--input', str(images), '--output', str(out), *SMALL, *refused]) == 1
    said = capsys.readouterr().out
    assert "model.device is 'abacus'" in said
    assert 'failed to configure' in said
    assert f'results in {out} are those of a run before' in ' '.join(said.split())
    assert [path.read_bytes() for path in of_a_run_before] == [b'old', b'old']


def test_an_input_that_the_run_would_write_over_is_refused(tmp_path, capsys):
    recording = tmp_path / 'reconstruction.mcap'
    recording.write_bytes(b'old')
    assert main(['--input', str(recording), '--output', str(tmp_path), '--force']) == 2
    assert 'give another --output' in ' '.join(capsys.readouterr().out.split())
    assert recording.read_bytes() == b'old'


@pytest.mark.ros
def test_a_node_that_ends_by_itself_ends_the_demo_with_its_log(images, tmp_path, capsys):
    broken = ('--param', 'output.scale:=[1,')
    assert main(['--input', str(images), '--output', str(tmp_path), *broken]) == 1
    said = capsys.readouterr().out
    assert 'ended by itself' in said and 'output.scale:=[1,' in said
    assert 'Traceback' not in said


@pytest.mark.ros
def test_a_parameters_file_that_is_none_is_said_without_a_traceback(images, tmp_path, capsys):
    params = tmp_path / 'broken.yaml'
    params.write_text('model:\n  preset: tiny\n')
    given = ['--input', str(images), '--output', str(tmp_path), '--params', str(params)]
    assert main(given) == 1
    said = ''.join(capsys.readouterr().out.replace('│', '').split())
    assert "Couldn'tparseparamsfile" in said and 'broken.yaml' in said
    assert 'Traceback' not in said


@pytest.mark.ros
@pytest.mark.parametrize(
    ('assignment', 'words'),
    [
        ('cache.budget_tokns:=512', 'did you mean cache.budget_tokens?'),
        ('cache.bits:=four', "cache.bits is 'four' on the command line"),
        ('cache.budget_tokens:=18', 'use at least budget_tokens'),
        ('cache.budget_tokens:=8', 'use at least budget_tokens'),
    ],
)
def test_what_the_node_has_against_a_parameter_reaches_the_terminal(
    images, tmp_path, capsys, assignment, words
):
    # The shapes of 18 tokens are too small for these images, but not for all.
    given = ['--input', str(images), '--output', str(tmp_path), *SMALL, '--param', assignment]
    assert main(given) == 1
    said = ''.join(capsys.readouterr().out.replace('│', '').split())
    assert words.replace(' ', '') in said
    assert 'Traceback' not in said


@pytest.mark.parametrize(
    'make, message',
    [(lambda path: None, 'does not exist'), (lambda path: path.mkdir(), 'has no images')],
)
def test_an_unusable_input_is_named_before_anything_starts(tmp_path, capsys, make, message):
    path = tmp_path / 'input'
    make(path)
    assert main(['--input', str(path), '--output', str(tmp_path / 'out')]) == 2
    assert message in ' '.join(capsys.readouterr().out.split())
    assert not (tmp_path / 'out').exists()


def test_a_refused_run_leaves_what_was_there_and_nothing_of_its_own(tmp_path):
    mine = tmp_path / 'mine'
    mine.mkdir()
    for output in (mine, mine / 'new' / 'out'):
        assert main(['--input', str(tmp_path / 'none'), '--output', str(output)]) == 2
    assert list(mine.iterdir()) == []


@pytest.mark.parametrize(
    'arguments',
    [
        ['--max-frames', '0'],
        ['--max-frames', 'abc'],
        ['--window', '1.5'],
        ['--stride', '0'],
        ['--param', 'nothing'],
        ['--params', 'no/such.yaml'],
        ['--rate', 'nan'],
        ['--rate', 'fast'],
        ['--domain', '300'],
        ['--domain', 'mine'],
        ['--queue', 'some'],
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        main(arguments)
    assert refused.value.code == 2
    said = capsys.readouterr().err
    assert arguments[0] in said and arguments[1] in said
    assert 'invalid _' not in said


@pytest.mark.parametrize('below', ['', 'folder'])
def test_an_output_that_is_a_file_is_named(images, tmp_path, capsys, below):
    file = tmp_path / 'file'
    file.write_text('mine')
    assert main(['--input', str(images), '--output', str(file / below)]) == 2
    said = ''.join(capsys.readouterr().out.split())
    assert 'leadstoafile;giveafolder' in said and 'Errno' not in said
    assert file.read_text() == 'mine'


@pytest.mark.ros
def test_sigterm_ends_the_demo_and_its_node(images, tmp_path):
    out = tmp_path / 'out'
    command = [sys.executable, '-m', 'xstreamvggt_ros.demo.cli', '--output', str(out)]
    slow = ['--input', str(images), '--rate', '0.05', *SMALL]
    with subprocess.Popen([*command, *slow], stdout=subprocess.DEVNULL) as demo:
        _await((out / 'node.log').exists)
        _await(lambda: 'waiting for images' in (out / 'node.log').read_text())
        node = _processes_with(str(out / 'node.log'))
        demo.terminate()
        assert demo.wait(30) == 130
    assert node and not any(_runs(process) for process in node)


def _processes_with(path):
    """Give the processes whose standard output is that file."""
    found = []
    for folder in Path('/proc').iterdir():
        try:
            if folder.name.isdecimal() and os.readlink(folder / 'fd' / '1') == path:
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def _runs(process):
    try:
        state = Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()[0]
    except FileNotFoundError:
        return False
    return state != 'Z'


def _await(condition, seconds=30.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_shipped_parameters_are_found():
    assert 'ros__parameters' in shipped_parameters().read_text()


@pytest.mark.ros
def test_a_bad_truth_costs_no_result_and_is_said(tmp_path, capsys):
    folder, out = tmp_path / 'seq-01', tmp_path / 'out'
    folder.mkdir()
    poses = ['', '0 0 0 0\n' * 4, '1 0 0 0\n0 1 0 0\n0 0 1 nan\n0 0 0 1', 'no numbers']
    for index, text in enumerate(poses):
        stem = f'frame-{index:06d}'
        Image.effect_noise((64, 48), 90).convert('RGB').save(folder / f'{stem}.color.png')
        Image.fromarray(np.full((48, 64), 1500, np.uint16)).save(folder / f'{stem}.depth.png')
        (folder / f'{stem}.pose.txt').write_text(text)
        depth = folder / f'{stem}.depth.png'
        depth.write_bytes(depth.read_bytes()[:60])
    (folder / 'camera-intrinsics.txt').write_text('one two')
    code = main(['--input', str(folder), '--output', str(out), *SMALL])
    said = ''.join(capsys.readouterr().out.replace('│', ' ').split())
    assert code == 0, said
    for name in ('trajectory.tum', 'cloud.ply', 'reconstruction.mcap', 'contact_sheet.png'):
        assert (out / name).exists(), said
    for words in ('nopose:', 'intrinsics', 'frame-000000.depth.png'):
        assert words in said
