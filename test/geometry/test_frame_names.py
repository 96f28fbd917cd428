# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Names of frames."""

import pytest

from xstreamvggt_ros.geometry.frame_names import frame_name


@pytest.mark.parametrize(
    ('given', 'name'),
    [('/openni_rgb_optical_frame', 'openni_rgb_optical_frame'), ('//map', 'map'), ('a/b', 'a/b')],
)
def test_slashes_in_front_are_taken_off(given, name):
    assert frame_name(given) == name


@pytest.mark.parametrize('name', ['map\n[ERROR] fire', 'a b', 'x\x1b[31m', 'x' * 256, 'a\u2028b'])
def test_names_that_cannot_be_meant_are_refused_in_quotes(name):
    with pytest.raises(ValueError, match='called') as caught:
        frame_name(name)
    assert str(caught.value).isprintable()
