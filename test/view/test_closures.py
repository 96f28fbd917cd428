# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loop closures are the lines that markers of a SLAM system say, and no more of them."""

import time

from geometry_msgs.msg import Point
import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from xstreamvggt_ros.view.closures import Closures, MOST_LINES, MOST_MARKERS
from xstreamvggt_ros.view.contents import Pose

HERE = Pose(np.zeros(3), np.array([0.0, 0, 0, 1]))
MAP = {'map': HERE}


def a_marker(*points, number=0, kind=Marker.LINE_LIST, frame='map', **fields):
    """Make a marker of lines through points (x, y)."""
    marker = Marker(ns='loops', id=number, type=kind, color=ColorRGBA(r=1.0, a=1.0), **fields)
    marker.header.frame_id = frame
    marker.points = [Point(x=float(x), y=float(y)) for x, y in points]
    return marker


def drawn(closures, frames=MAP):
    return closures.in_map(frames).points[..., :2].tolist()


def test_lists_are_pairs_and_strips_are_chains():
    closures = Closures()
    closures.take(a_marker((0, 0), (1, 0), (2, 0), (3, 0), (9, 9)))
    assert drawn(closures) == [[[0, 0], [1, 0]], [[2, 0], [3, 0]]]
    closures.take(a_marker((0, 0), (1, 0), (2, 0), kind=Marker.LINE_STRIP))
    assert drawn(closures) == [[[0, 0], [1, 0]], [[1, 0], [2, 0]]]


def test_a_marker_replaces_the_one_of_its_number_until_it_is_deleted():
    closures = Closures()
    closures.take(MarkerArray(markers=[a_marker((0, 0), (1, 0)), a_marker((5, 5), (6, 6))]))
    assert drawn(closures) == [[[5, 5], [6, 6]]]
    closures.take(a_marker((0, 1), (1, 1), number=1))
    assert len(drawn(closures)) == 2
    closures.take(a_marker(number=0, action=Marker.DELETE))
    assert drawn(closures) == [[[0, 1], [1, 1]]]
    closures.take(a_marker(number=1, kind=Marker.SPHERE))
    assert drawn(closures) == []
    closures.take(a_marker((0, 0), (1, 0)))
    closures.take(MarkerArray(markers=[Marker(action=Marker.DELETEALL)]))
    assert drawn(closures) == []


def test_lines_are_where_their_marker_and_its_frame_are():
    closures = Closures()
    marker = a_marker((1, 0), (2, 0), frame='odom')
    marker.pose.position.y = 1.0
    closures.take(marker)
    assert drawn(closures) == []
    turned = Pose(np.array([10.0, 0, 0]), Rotation.from_euler('z', 90, degrees=True).as_quat())
    np.testing.assert_allclose(drawn(closures, {'odom': turned}), [[[9, 1], [9, 2]]], atol=1e-6)


def test_lifetimes_end():
    now = [0.0]
    closures = Closures(lambda: now[0])
    marker = a_marker((0, 0), (1, 0))
    marker.lifetime.sec = 2
    closures.take(marker)
    now[0] = 1.9
    assert len(drawn(closures)) == 1
    now[0] = 2.1
    assert drawn(closures) == []


def test_colours_are_those_of_the_points_or_of_the_marker():
    closures = Closures()
    closures.take(a_marker((0, 0), (1, 0)))
    assert closures.in_map(MAP).rgb.tolist() == [[[255, 0, 0]] * 2]
    closures.take(
        a_marker((0, 0), (1, 0), colors=[ColorRGBA(g=1.0), ColorRGBA(b=7.0, r=float('nan'))])
    )
    assert closures.in_map(MAP).rgb.tolist() == [[[0, 255, 0], [0, 0, 255]]]


def test_no_more_is_kept_than_there_is_room_for():
    closures = Closures()
    many = [(index, 0) for index in range(2 * MOST_LINES + 10)]
    closures.take(a_marker(*many))
    assert len(drawn(closures)) == MOST_LINES
    closures.take(a_marker((0, 0), (1, 0), number=1))
    assert len(drawn(closures)) == MOST_LINES
    closures = Closures()
    few = [a_marker((0, 0), (1, 0), number=index) for index in range(MOST_MARKERS + 10)]
    closures.take(MarkerArray(markers=few))
    assert len(drawn(closures)) == MOST_MARKERS


@pytest.mark.parametrize(
    'wrong',
    [
        a_marker((float('nan'), 0), (1, 0)),
        a_marker((0, 0), (float('inf'), 0), kind=Marker.LINE_STRIP),
    ],
)
def test_points_that_are_not_finite_are_refused(wrong):
    closures = Closures()
    with pytest.raises(ValueError, match="marker 0 of 'loops' has points that are not finite"):
        closures.take(wrong)
    assert drawn(closures) == []


@pytest.mark.parametrize('place', [float('nan'), float('inf'), 1e300])
def test_a_marker_that_is_nowhere_is_refused(place):
    closures = Closures()
    wrong = a_marker((0, 0), (1, 0))
    wrong.pose.position.x = place
    for w in (0.0, 1.0):
        wrong.pose.orientation.w = w
        with pytest.raises(ValueError, match=r'is at \['):
            closures.take(wrong)
    assert drawn(closures) == []


def test_a_message_of_very_many_markers_does_not_hold_the_page_up():
    closures = Closures()
    message = MarkerArray(markers=[Marker(id=n, type=Marker.LINE_LIST) for n in range(50_000)])
    begin = time.process_time()
    closures.take(message)
    assert time.process_time() - begin < 1
    assert len(closures._markers) == MOST_MARKERS
