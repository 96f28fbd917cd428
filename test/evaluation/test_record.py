# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs on disk: whole or not there, scored again, and their damage named."""

from dataclasses import replace
import json
import math

from filmed import Filmed
import numpy as np
import pytest
from recorded import oracle_record, oracle_run, PROTOCOL

from xstreamvggt_ros.evaluation.jsonable import dumps
from xstreamvggt_ros.evaluation.record import (
    find_records,
    read_record,
    RecordError,
    remove_unfinished,
    write_record,
)
from xstreamvggt_ros.evaluation.scoring import score_again
from xstreamvggt_ros.files.trajectories import read_tum

NO_LITERALS = {'parse_constant': lambda word: pytest.fail(f'{word} is no JSON')}


@pytest.fixture
def record(tmp_path):
    return oracle_record(tmp_path / 'run', noise=0.05, sequence=Filmed(count=8, damaged=(2,)))


def test_it_holds_what_a_reader_needs(record):
    info = json.loads((record.folder / 'record.json').read_text(), **NO_LITERALS)

    assert info['environment']['versions']['torch']
    assert info['environment']['device']
    assert info['config']['image_size'] == 112
    assert info['curves']['latency_ms'][2] is None or info['curves']['latency_ms'][2] >= 0
    assert info['curves']['abs_rel'][2] is None
    frames = record.frames()
    assert frames.statuses.tolist() == ['done'] * 2 + ['failed'] + ['done'] * 5
    trajectory = read_tum(record.folder / 'trajectory.tum')
    known = np.isfinite(frames.poses).all((1, 2))
    np.testing.assert_array_equal(trajectory.stamps_ns, frames.stamps_ns[known])
    np.testing.assert_array_equal(trajectory.positions, frames.poses[known][:, :3, 3])
    assert len(read_tum(record.folder / 'truth.tum')) == 7
    assert record.picture(0).stat().st_size > 500
    assert record.picture(2) is None


def test_every_stream_has_a_trajectory_of_its_own(record, tmp_path):
    _, collected = oracle_run(Filmed(count=8))
    worlds = np.array([3, 3, -1, 5, 5, 5, 5, 8], np.int32)
    parts = replace(collected, frames=replace(collected.frames, worlds=worlds))

    folder = write_record(tmp_path / 'parts', record.info, parts, set()).folder

    stamps = collected.frames.stamps_ns
    for name, world in (('trajectory', 5), ('trajectory_3', 3), ('trajectory_8', 8)):
        trajectory = read_tum(folder / f'{name}.tum')
        np.testing.assert_array_equal(trajectory.stamps_ns, stamps[worlds == world])
    assert len(list(folder.glob('trajectory*'))) == 3
    assert len(read_tum(folder / 'truth.tum')) == 8


def test_single_images_have_no_trajectory(tmp_path):
    sequence = Filmed(count=3, independent_frames=True)

    folder = oracle_record(tmp_path / 'images', sequence=sequence).folder

    assert list(folder.glob('*.tum')) == []


def test_it_is_scored_again_to_the_same_figures_without_running(record):
    again = score_again(record, PROTOCOL)

    assert again.metrics == record.metrics
    assert again.info['curves'] == record.info['curves']


def test_another_protocol_gives_other_figures_that_stay(record):
    score_again(record, replace(PROTOCOL, delta_m=0.2, max_depth=2.0))

    read = read_record(record.folder)
    assert read.info['protocol']['max_depth'] == 2.0
    assert read.metrics['depth_pixels'] < record.metrics['depth_pixels']
    assert read.metrics['depth_median_abs_rel'] != record.metrics['depth_median_abs_rel']


@pytest.mark.parametrize('name', ['frames.npz', 'depth.npz', 'points.npz', 'trajectory.tum'])
def test_a_file_that_was_changed_or_is_gone_is_named(record, name):
    path = record.folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(RecordError, match=f'{name} is damaged.*run it again'):
        read_record(record.folder)

    path.unlink()
    with pytest.raises(RecordError, match=f'{name} is missing.*run it again'):
        read_record(record.folder)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (lambda info: 'x', 'lacks'),
        (lambda info: {**info, 'schema': 999}, 'schema 999'),
        (lambda info: {k: v for k, v in info.items() if k != 'metrics'}, 'lacks metrics'),
        (lambda info: {**info, 'files': 5}, 'record.json is damaged'),
        (lambda info: {**info, 'files': {'frames.npz': None}}, 'record.json is damaged'),
        (lambda info: {**info, 'files': {'frames.npz': {}}}, 'record.json is damaged'),
        (lambda info: {**info, 'sequence': []}, 'record.json is damaged'),
        (lambda info: {**info, 'sequence': {'name': None, 'dataset': 'x'}}, 'is damaged'),
        (lambda info: {**info, 'config': {'bits': 5}}, 'bits is 5'),
        (lambda info: {**info, 'config': {'speed': 5}}, 'speed'),
    ],
)
def test_a_record_that_is_none_is_refused_by_name(record, change, words):
    path = record.folder / 'record.json'
    path.write_text(json.dumps(change(json.loads(path.read_text()))))

    with pytest.raises(RecordError, match=words):
        read_record(record.folder)


def test_half_a_record_is_refused_and_others_are_read(record, tmp_path):
    half = tmp_path / 'half'
    half.mkdir()
    (half / 'record.json').write_text('{"schema": 1, "key"')

    records, problems = find_records(tmp_path)

    assert [each.folder for each in records] == [record.folder]
    assert len(problems) == 1
    assert 'damaged' in problems[0]


def test_what_a_killed_run_left_is_no_record_and_is_removed(record, tmp_path):
    left = tmp_path / '.unfinished-run-x'
    left.mkdir()
    (left / 'record.json').write_text('{}')

    assert find_records(tmp_path)[1] == []
    assert remove_unfinished(tmp_path) == 1
    assert not left.exists()
    assert read_record(record.folder)


def test_what_is_not_finite_is_null():
    value = {'a': math.nan, 'b': [math.inf, np.float32(1.5)], 'c': np.array([1.0, np.nan])}

    assert json.loads(dumps(value)) == {'a': None, 'b': [None, 1.5], 'c': [1.0, None]}
