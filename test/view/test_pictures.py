# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth and confidence as pictures."""

from hypothesis import given, strategies
from hypothesis.extra.numpy import arrays
import numpy as np

from xstreamvggt_ros.view.pictures import confidence_picture, depth_picture, thumbnail


def test_near_is_red_far_is_blue_and_nothing_is_black():
    depth = np.tile(np.linspace(1, 9, 50, dtype=np.float32), (4, 1))
    depth[0] = np.nan
    depth[1] = 0
    depth[2, 3] = -np.inf
    shown = depth_picture(depth).astype(int)
    assert (shown[:2] == 0).all() and (shown[2, 3] == 0).all()
    near, far = shown[3, 0], shown[3, -1]
    assert near[0] > 2 * near[2] and far[2] > far[0]


def test_what_is_all_alike_or_unknown_is_drawn():
    for values in (np.full((3, 4), 2.0), np.full((3, 4), np.nan)):
        for draw in (depth_picture, confidence_picture):
            shown = draw(values.astype(np.float32))
            assert shown.shape == (3, 4, 3) and shown.dtype == np.uint8


def test_a_network_that_is_sure_of_nothing_is_shown_so():
    unsure = np.random.default_rng(0).uniform(1, 1.004, (8, 9)).astype(np.float32)
    surer = unsure.copy()
    surer[:, 4:] = 6
    for shown in (confidence_picture(unsure), confidence_picture(surer)[:, :4]):
        red, _, blue = shown.reshape(-1, 3).astype(int).T
        assert (blue > red).all()
    assert (confidence_picture(surer)[:, 4:, 0] > confidence_picture(surer)[:, 4:, 2]).all()


def test_thumbnails_are_small_and_of_the_same_shape():
    small = thumbnail(np.zeros((300, 400, 3), np.uint8), 160)
    assert small.shape == (100, 134, 3)
    picture = np.zeros((120, 160, 3), np.uint8)
    assert thumbnail(picture, 160).shape == picture.shape


@given(arrays(np.float32, (2, 3), elements=strategies.floats(width=32)))
def test_any_numbers_are_drawn(values):
    for draw in (depth_picture, confidence_picture):
        shown = draw(values)
        assert shown.shape == (2, 3, 3) and shown.dtype == np.uint8
