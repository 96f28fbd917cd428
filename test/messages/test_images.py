# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Maps as messages."""

import numpy as np
import pytest
from std_msgs.msg import Header

from xstreamvggt_ros.messages import confidence_image, depth_image, picture_image

SIZE = 24, 32


@pytest.mark.parametrize('build', [depth_image, confidence_image])
def test_a_float_image_holds_its_values_and_header(build):
    values = np.random.default_rng(0).random(SIZE).astype(np.float32)
    values[3, 4] = np.nan
    header = Header(frame_id='camera_optical')
    message = build(values, header)
    assert (message.height, message.width, message.encoding) == (*SIZE, '32FC1')
    assert (message.step, message.is_bigendian) == (4 * SIZE[1], 0)
    assert message.header == header
    back = np.frombuffer(message.data, '<f4').reshape(SIZE)
    np.testing.assert_array_equal(back, values)


def test_a_float_image_of_transposed_doubles_is_laid_out_by_rows():
    values = np.random.default_rng(0).random(SIZE[::-1]).T
    message = depth_image(values, Header())
    np.testing.assert_array_equal(
        np.frombuffer(message.data, '<f4').reshape(SIZE), values.astype(np.float32)
    )


def test_a_picture_holds_its_pixels_and_header():
    picture = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    header = Header(frame_id='camera_optical')
    message = picture_image(picture, header)
    assert (message.height, message.width, message.encoding) == (*SIZE, 'rgb8')
    assert (message.step, message.is_bigendian) == (3 * SIZE[1], 0)
    assert message.header == header
    np.testing.assert_array_equal(np.frombuffer(message.data, np.uint8).reshape(*SIZE, 3), picture)
