# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages made for bags are read back as what they were made of."""

import numpy as np
import pytest

from xstreamvggt_ros.files.bag_messages import (
    make_header,
    make_image,
    make_pinhole_info,
    make_pose,
    make_transform,
)
from xstreamvggt_ros.files.typestores import typestore

HEADER = make_header(3 * 10**9 + 7, 'camera')
# A quarter turn about z.
POSE = np.array([[0.0, -1, 0, 4], [1, 0, 0, 5], [0, 0, 1, 6], [0, 0, 0, 1]])


def read_back(message):
    kind = message.__msgtype__
    back = typestore().deserialize_cdr(typestore().serialize_cdr(message, kind), kind)
    assert (back.header.stamp.sec, back.header.stamp.nanosec) == (3, 7)
    assert back.header.frame_id == 'camera'
    return back


@pytest.mark.parametrize(
    ('shape', 'dtype', 'encoding', 'step'),
    [((2, 5, 3), '|u1', 'rgb8', 15), ((2, 5), '<f4', '32FC1', 20)],
)
def test_an_image_holds_its_pixels_row_by_row(shape, dtype, encoding, step):
    pixels = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    back = read_back(make_image(HEADER, pixels, encoding))
    assert (back.height, back.width, back.encoding, back.step) == (2, 5, encoding, step)
    np.testing.assert_array_equal(back.data.view(dtype).reshape(shape), pixels)


def test_a_pinhole_has_its_matrix_in_k_and_p_and_no_distortion():
    intrinsics = np.array([[7.0, 0, 4], [0, 7.5, 3], [0, 0, 1]])
    back = read_back(make_pinhole_info(HEADER, (6, 8), intrinsics))
    assert (back.height, back.width, back.distortion_model) == (6, 8, 'plumb_bob')
    np.testing.assert_array_equal(back.k.reshape(3, 3), intrinsics)
    np.testing.assert_array_equal(back.p.reshape(3, 4), np.c_[intrinsics, np.zeros(3)])
    np.testing.assert_array_equal(back.r.reshape(3, 3), np.eye(3))
    assert back.d.tolist() == [0.0] * 5


def test_poses_and_transforms_are_places_and_turns():
    pose = read_back(make_pose(HEADER, POSE)).pose
    told = read_back(make_transform(HEADER, 'child', POSE))
    assert told.child_frame_id == 'child'
    for place, turn in (
        (pose.position, pose.orientation),
        (told.transform.translation, told.transform.rotation),
    ):
        assert (place.x, place.y, place.z) == (4, 5, 6)
        assert (turn.x, turn.y, turn.z, turn.w) == pytest.approx((0, 0, 0.5**0.5, 0.5**0.5))
