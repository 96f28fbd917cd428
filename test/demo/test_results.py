# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A recorded run, checked against what was sent."""

import numpy as np
import pytest
from rclpy.serialization import serialize_message
from relay import answer, SIZE
from std_msgs.msg import Header

from xstreamvggt_ros.demo.results import read_results, spread
from xstreamvggt_ros.files.bags import BagWriter
from xstreamvggt_ros.rig.recorder import FRAME_OUTPUTS

STAMPS = [1_767_225_600_123_456_789 + 33_333_333 * index for index in range(4)]

SHOWN = [STAMPS[0], STAMPS[3]]


def _header(stamp_ns):
    header = Header(frame_id='map')
    header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 10**9)
    return header


@pytest.fixture
def read(tmp_path):
    """Write a run's bag, after `change` had its way with the outputs, and read it."""

    def read(change=lambda stamp, outputs: None, answered=STAMPS, sent=STAMPS, **options):
        path = tmp_path / 'run.mcap'
        with BagWriter(path) as bag:
            for name, kind in FRAME_OUTPUTS.items():
                bag.add_topic(
                    f'/node/{name}', f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}'
                )
            for stamp in answered:
                outputs = answer(_header(stamp))
                change(stamp, outputs)
                for name, message in outputs.items():
                    bag.write(f'/node/{name}', serialize_message(message), stamp)
        return read_results(path, 'node', sent, SHOWN, **options)

    return read


def test_a_good_run_has_no_problems_and_gives_everything(read):
    results = read()
    assert results.check.problems(lossless=True) == []
    assert results.check.outputs == 4 * len(FRAME_OUTPUTS)
    assert results.trajectory.stamps_ns.tolist() == STAMPS
    assert results.trajectory.positions[:, 0].tolist() == [stamp % 10**9 for stamp in STAMPS]
    assert len(results.cloud) == 4 * 5
    assert list(results.maps) == SHOWN
    np.testing.assert_array_equal(results.maps[STAMPS[0]].depth, np.ones(SIZE))


def test_a_stamp_that_is_one_nanosecond_off_is_found(read):
    results = read(answered=[*STAMPS[:3], STAMPS[3] + 1])
    assert results.check.unexpected['pose'] == results.check.missing['pose'] == 1
    assert len(results.trajectory) == 3


def test_a_lost_output_is_a_problem_only_of_a_lossless_run(read):
    def lose(stamp, outputs):
        if stamp == STAMPS[1]:
            del outputs['points']

    results = read(lose)
    assert results.check.problems(lossless=True) == ['1 images without this output on ~/points']
    assert results.check.problems(lossless=False) == []


def test_an_output_that_comes_twice_is_a_problem(read):
    results = read(answered=[*STAMPS, STAMPS[2]])
    assert results.check.unexpected == dict.fromkeys(FRAME_OUTPUTS, 1)


@pytest.mark.parametrize('number', [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_found(read, number):
    def spoil(stamp, outputs):
        if stamp == STAMPS[1]:
            outputs['pose'].pose.position.y = number
            outputs['depth/camera_info'].k[0] = number
            values = np.ones(SIZE, np.float32)
            values[1, 2] = number
            outputs['depth/image'].data = values.tobytes()
            outputs['points'].data[:4] = _bytes(number)

    problems = read(spoil).check.problems(lossless=True)
    for name in ('pose', 'depth/camera_info', 'points'):
        assert f'1 outputs with numbers that are not finite on ~/{name}' in problems
    assert len(problems) == 4


def _bytes(number):
    from array import array

    return array('B', np.float32(number).tobytes())


def test_nan_where_an_image_was_undistorted_from_nothing_is_no_problem(read):
    def undistort(stamp, outputs):
        values = np.ones(SIZE, np.float32)
        values[0] = np.nan
        outputs['depth/image'].data = values.tobytes()

    check = read(undistort).check
    assert check.problems(lossless=True, distorted=True) == []
    assert check.problems(lossless=True) == ['24 of 192 pixels are NaN']


def test_points_are_bounded_over_the_whole_run(read):
    assert len(read(max_points=8).cloud) == 8


def test_of_several_streams_the_longest_is_kept(read):
    results = read(streams=[STAMPS[1:], STAMPS[:1]])
    assert results.streams == 2
    assert results.trajectory.stamps_ns.tolist() == STAMPS[1:]
    assert len(results.cloud) == 3 * 5
    assert list(results.maps) == [STAMPS[3]]
    assert results.check.problems(lossless=True) == []


def test_no_output_at_all_is_read_without_complaint(read):
    results = read(answered=[])
    assert results.check.missing == dict.fromkeys(FRAME_OUTPUTS, 4)
    assert len(results.trajectory) == len(results.cloud) == len(results.maps) == 0


def test_stamps_are_spread_from_first_to_last():
    assert spread(range(100), 4) == [0, 33, 66, 99]
    assert spread({5, 3}, 6) == [3, 5]
