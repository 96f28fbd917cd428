# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far runs are from the unbounded one, where no truth is known too."""

import csv
from dataclasses import replace
import math
import re

from bag_messages import IMAGE, image, write_bag
from filmed import Filmed
from layouts import pixels
import numpy as np
import pytest
from recorded import oracle_record
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.evaluation.__main__ import main
from xstreamvggt_ros.evaluation.differences import differences
from xstreamvggt_ros.evaluation.report import write_report
from xstreamvggt_ros.inputs import FrameTruth

COUNT = 6


class Blind(Filmed):
    """A sequence of which nothing is known."""

    def _frame(self, index):
        return replace(super()._frame(index), read_truth=FrameTruth)


@pytest.fixture(scope='module')
def sequence():
    return Blind(count=COUNT)


@pytest.fixture(scope='module')
def reference(tmp_path_factory, sequence):
    return oracle_record(tmp_path_factory.mktemp('runs') / 'reference', sequence=sequence)


def edited(folder, sequence, **changes):
    """Write the same run with arrays changed: by name, a function of the old ones."""

    def edit(collected):
        for name, change in changes.items():
            part = 'depth' if name in ('estimates', 'truths') else 'frames'
            arrays = getattr(collected, part)
            new = replace(arrays, **{name: change(getattr(arrays, name).copy())})
            collected = replace(collected, **{part: new})
        return collected

    return oracle_record(folder / 'run', sequence=sequence, edit=edit, budget='2048')


def path_of(record):
    places = record.frames().poses[:, :3, 3]
    return np.linalg.norm(np.diff(places, axis=0), axis=1).sum()


def test_equal_runs_are_not_apart(reference):
    found = differences(reference, reference)

    assert found.pop('difference_frames') == COUNT
    assert found == pytest.approx(dict.fromkeys(found, 0.0), abs=1e-6)


def test_depth_that_is_off_by_a_share_is_found_with_its_cloud(tmp_path, sequence, reference):
    found = differences(
        edited(tmp_path, sequence, estimates=lambda depth: 1.02 * depth), reference
    )

    assert found['difference_depth'] == pytest.approx(0.02, rel=1e-3)
    # A point is farther along its ray than along the axis.
    assert 0.02 < found['difference_cloud'] < 0.03
    assert found['difference_position'] == pytest.approx(0, abs=1e-9)


def test_places_and_directions_that_are_off_are_found(tmp_path, sequence, reference):
    path = path_of(reference)

    def move(poses):
        poses[:, :3, 3] += (0, 0.01 * path, 0)
        poses[:, :3, :3] = Rotation.from_euler('z', 2, degrees=True).as_matrix() @ poses[:, :3, :3]
        return poses

    found = differences(edited(tmp_path, sequence, poses=move), reference)

    assert found['difference_position'] == pytest.approx(0.01)
    assert found['difference_rotation'] == pytest.approx(2)
    assert found['difference_depth'] == pytest.approx(0, abs=1e-6)
    assert found['difference_cloud'] > 0


def test_frames_that_one_lacks_or_has_in_another_stream_do_not_count(
    tmp_path, sequence, reference
):
    def spoil(poses):
        poses[:2] += 5
        return poses

    def lose(statuses):
        statuses[0] = 'failed'
        return statuses

    def begin_anew(worlds):
        worlds[1] = 7
        return worlds

    run = edited(tmp_path, sequence, poses=spoil, statuses=lose, worlds=begin_anew)
    found = differences(run, reference)

    assert found['difference_frames'] == COUNT - 2
    assert found['difference_position'] == pytest.approx(0, abs=1e-9)


def test_runs_of_other_frames_or_another_size_are_not_compared(tmp_path, sequence, reference):
    later = edited(tmp_path / 'a', sequence, stamps_ns=lambda stamps: stamps + 1)
    halves = dict.fromkeys(('estimates', 'truths'), lambda depth: depth[:, ::2])
    smaller = edited(tmp_path / 'b', sequence, **halves)

    assert all(map(math.isnan, differences(later, reference).values()))
    found = differences(smaller, reference)
    assert math.isnan(found['difference_depth'])
    assert found['difference_position'] == pytest.approx(0, abs=1e-9)


def test_the_report_of_a_sequence_without_truth_has_them(tmp_path, sequence):
    oracle_record(tmp_path / 'reference', sequence=sequence)
    edited(tmp_path, sequence, estimates=lambda depth: 1.1 * depth)

    write_report(tmp_path, tmp_path)

    page = (tmp_path / 'report.html').read_text(encoding='utf-8')
    assert 'Difference from the unbounded cache' in page
    assert 'Camera trajectory' not in page
    with (tmp_path / 'figures.csv').open() as file:
        rows = {row['budget']: row for row in csv.DictReader(file)}
    assert float(rows['2048']['difference_depth']) == pytest.approx(0.1, rel=1e-3)
    assert rows['none']['difference_depth'] == ''


def test_a_bag_without_truth_is_evaluated(tmp_path, capsys):
    stamps = [10**18 + index * 10**8 for index in range(4)]
    messages = [
        ('/image_raw', IMAGE, stamp, image(stamp, pixels(index), 'rgb8'))
        for index, stamp in enumerate(stamps)
    ]
    bag = write_bag(tmp_path / 'bag', messages)
    output = tmp_path / 'out'
    arguments = ['run', str(bag), '--output', str(output), '--checkpoint', 'random']
    arguments += ['--device', 'cpu', '--image-size', '56', '--threads', '1', '--budget', '2f']

    assert main(arguments) == 0

    said = ' '.join(capsys.readouterr().out.split())
    assert re.search(r'2f, 4 bit.*: depth [\d.]+ %, position .* from the unbounded cache', said)
    with (output / 'figures.csv').open() as file:
        rows = {row['budget']: row for row in csv.DictReader(file)}
    assert rows['2f']['difference_frames'] == '4.0'
    for name in ('depth', 'position', 'rotation', 'cloud'):
        assert float(rows['2f'][f'difference_{name}']) > 0
    assert rows['2f']['ate_rmse'] == ''
