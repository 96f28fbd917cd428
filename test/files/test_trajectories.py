# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""TUM trajectories survive the file bit for bit."""

from hypothesis import given, strategies
import numpy as np
import pytest

from xstreamvggt_ros.files.trajectories import (
    format_stamp,
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
