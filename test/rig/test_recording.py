# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a recording of the node's outputs says of its frames."""

import numpy as np
import pytest
from rclpy.serialization import serialize_message
from relay import answer, SIZE
from std_msgs.msg import Header

from xstreamvggt_ros.files.bags import BagWriter
from xstreamvggt_ros.rig.recorder import FRAME_OUTPUTS
from xstreamvggt_ros.rig.recording import recorded_frames, recorded_streams

pytestmark = pytest.mark.ros


@pytest.fixture
def record(tmp_path):
    """Write a bag of frames, (stamp in seconds, stream, outputs that are lost)."""

    def record(*frames):
        path = tmp_path / 'run.mcap'
        with BagWriter(path) as bag:
            for name, kind in FRAME_OUTPUTS.items():
                package = kind.__module__.partition('.')[0]
                bag.add_topic(f'/node/{name}', f'{package}/msg/{kind.__name__}')
            for at, (seconds, stream, *lost) in enumerate(frames):
                header = Header(frame_id='map')
                header.stamp.sec = seconds
                for name, message in answer(header, stream).items():
                    if name not in lost:
                        bag.write(f'/node/{name}', serialize_message(message), at)
        return path

    return record


def test_a_frame_says_which_stream_it_belongs_to_whatever_its_stamp(record):
    # The bag begins again with the same stamps.
    bag = record((1, 1), (2, 1), (1, 2), (2, 2))

    found = [(each.stamp_ns // 10**9, each.stream) for each in recorded_frames(bag, 'node')]

    assert found == [(1, 1), (2, 1), (1, 2), (2, 2)]


def test_a_frame_has_everything_at_the_networks_size(record):
    (frame,) = recorded_frames(record((1, 1)), 'node')

    np.testing.assert_array_equal(frame.depth, np.ones(SIZE))
    np.testing.assert_array_equal(frame.confidence, np.ones(SIZE))
    assert frame.intrinsics.shape == (3, 3)
    assert frame.verdict == ''


@pytest.mark.parametrize('lost', ['pose', 'depth/image', 'confidence', 'frame'])
def test_a_frame_that_lacks_an_output_is_passed_over(record, lost):
    bag = record((1, 1), (2, 1, lost), (3, 1))

    assert [each.stamp_ns // 10**9 for each in recorded_frames(bag, 'node')] == [1, 3]


def test_a_lost_cloud_counts_only_where_clouds_are_asked_for(record):
    bag = record((1, 1), (2, 1, 'points'))

    assert len(list(recorded_frames(bag, 'node'))) == 2
    (frame,) = recorded_frames(bag, 'node', points=True)
    assert frame.points.shape == (1, 5, 3)


def test_the_longest_stream_comes_first(record):
    streams = recorded_streams(record((1, 1), (2, 2), (3, 2)), 'node')

    assert [[stamp // 10**9 for stamp in each] for each in streams] == [[2, 3], [1]]
