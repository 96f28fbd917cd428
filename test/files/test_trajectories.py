# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""TUM trajectories survive the file bit for bit."""

from hypothesis import given, strategies
import numpy as np
import pytest

from xstreamvggt_ros.files.trajectories import (
    format_stamp,
    NotSecondsError,
    parse_stamp,
    read_tum,
    Trajectory,
    write_tum,
)


def _trajectory(count: int = 5) -> Trajectory:
    generator = np.random.default_rng(7)
    quaternions = generator.standard_normal((count, 4))
    return Trajectory(
        # A float64 of seconds cannot hold these nanoseconds.
        1_767_225_600_123_456_789 + np.arange(count) * 33_333_333,
        generator.standard_normal((count, 3)),
        quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True),
    )


def test_round_trip_keeps_every_bit(tmp_path):
    written = _trajectory()
    write_tum(tmp_path / 'trajectory.tum', written)
    read = read_tum(tmp_path / 'trajectory.tum')
    np.testing.assert_array_equal(read.stamps_ns, written.stamps_ns)
    np.testing.assert_array_equal(read.positions, written.positions)
    np.testing.assert_array_equal(read.quaternions, written.quaternions)


def test_empty_trajectory_round_trips(tmp_path):
    write_tum(tmp_path / 'empty.tum', _trajectory(0))
    assert len(read_tum(tmp_path / 'empty.tum')) == 0


@given(strategies.integers(-(10**18), 4 * 10**18))
def test_stamps_are_printed_exactly(stamp_ns):
    assert parse_stamp(format_stamp(stamp_ns)) == stamp_ns


@pytest.mark.parametrize(
    'text, stamp_ns',
    [('1.5', 1_500_000_000), ('3', 3_000_000_000), ('0.000000001', 1), ('1e1', 10_000_000_000)],
)
def test_stamps_of_other_writers_are_read(text, stamp_ns):
    assert parse_stamp(text) == stamp_ns


@pytest.mark.parametrize('line', ['1.0 2 3 4 0 0 0', '1.0 2 3 4 0 0 0 x', 'now 1 2 3 0 0 0 1'])
def test_a_bad_line_is_named_with_its_number(tmp_path, line):
    path = tmp_path / 'bad.tum'
    path.write_text(f'# a comment\n1.0 0 0 0 0 0 0 1\n{line}\n')
    with pytest.raises(ValueError, match=r'bad\.tum:3: .*timestamp tx ty tz'):
        read_tum(path)


def _read(path, text, encoding='utf-8'):
    path.write_bytes(text.encode(encoding))
    told = []
    return read_tum(path, told.append), told


@pytest.mark.parametrize(
    'before',
    ['', 'timestamp tx ty tz qx qy qz qw\n', '\ufeff# header\n', '\ufefftimestamp, tx, ty, tz\n'],
)
def test_headers_and_byte_order_marks_are_no_damage(tmp_path, before):
    read, told = _read(tmp_path / 'a.txt', before + '1.5 1 2 3 0 0 0 1\n')
    assert read.stamps_ns.tolist() == [1_500_000_000]
    assert told == []


def test_commas_and_comments_in_latin_1_are_read(tmp_path):
    text = '# von Müller\n1.5, 1, 2, 3, 0, 0, 0, 1\n2.5,1,2,3,0,0,0,1 # früh\n'
    read, told = _read(tmp_path / 'a.csv', text, 'latin-1')
    assert (len(read), told) == (2, [])


@pytest.mark.parametrize(
    'line',
    ['2 nan nan nan 0 0 0 1', '2 1 2 3 0 0 0 0', '2 1 2 3 0 0', '2 1 2', 'x', '2 1 2 inf 0 0 0 1'],
)
def test_a_line_that_is_no_pose_costs_itself_and_is_counted(tmp_path, line):
    good = '1 1 2 3 0 0 0 1\n'
    read, (text,) = _read(tmp_path / 'a.txt', f'{good}{line}\n3 1 2 3 0 0 0 1\n{line}')
    assert read.stamps_ns.tolist() == [10**9, 3 * 10**9]
    assert '2 lines are left out' in text and 'a.txt:2:' in text


@pytest.mark.parametrize('stamp', ['1305031102175300000', '1305031102175', '1.3e18'])
def test_stamps_that_are_no_seconds_are_refused_for_what_they_are(tmp_path, stamp):
    with pytest.raises(NotSecondsError, match=r'a\.txt:1: .*looks like (nano|milli)'):
        _read(tmp_path / 'a.txt', f'{stamp} 1 2 3 0 0 0 1\n')


def test_a_quaternion_that_begins_with_w_is_refused(tmp_path):
    text = '#timestamp, p_x, p_y, p_z, q_w, q_x, q_y, q_z\n1.5,1,2,3,1,0,0,0\n'
    with pytest.raises(ValueError, match='qw before qx'):
        _read(tmp_path / 'a.csv', text)


def test_a_file_without_one_pose_raises_even_so(tmp_path):
    with pytest.raises(ValueError, match=r'a\.txt:1'):
        _read(tmp_path / 'a.txt', '1 2 3\n4 5 6\n')
