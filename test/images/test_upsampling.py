# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth of the network at the size of the camera's picture."""

import cv2
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.images.upsampling import upsample

HEIGHT, WIDTH = 168, 224
PLAN = Preprocessing.plan(HEIGHT, WIDTH, 56)
NEAR, FAR = np.float32(1), np.float32(4)


def two_walls(plan=PLAN, bright=0.75):
    """Make a picture with a camera's noise, dark left and bright right, and its depth, a step."""
    height, width = plan.source_size
    # Not between two of the network's pixels.
    right = np.arange(width) >= 0.46 * width
    noise = np.random.default_rng(0).normal(0, 0.005, (height, width, 1))
    grey = np.where(right, bright, 0.25)[None, :, None] + noise
    picture = np.rint(255 * np.repeat(grey, 3, axis=-1)).clip(0, 255).astype(np.uint8)
    return picture, np.broadcast_to(np.where(right, FAR, NEAR), (height, width)).copy()


def seen_by_network(picture, truth, plan=PLAN):
    seen = plan.picture(plan.apply(picture)).numpy()
    whole = cv2.resize(truth, plan.resized_size[::-1], interpolation=cv2.INTER_AREA)
    top, left = plan.crop_top, plan.crop_left
    return seen, whole[top : top + plan.size[0], left : left + plan.size[1]].copy()


def test_an_edge_that_the_picture_shows_is_nearer_to_the_truth_than_bilinear():
    picture, truth = two_walls()
    seen, values = seen_by_network(picture, truth)

    found = upsample(values, seen, picture, PLAN)
    bilinear = cv2.resize(values, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)

    assert found.dtype == np.float32 and found.shape == (HEIGHT, WIDTH)
    edge = np.abs(np.arange(WIDTH) - 0.46 * WIDTH) < 8
    guided, linear = (np.abs(each - truth)[:, edge] for each in (found, bilinear))
    assert guided.mean() < 0.25 * linear.mean()
    # Points that float between the walls.
    assert (guided > 0.3).mean() < 0.25 * (linear > 0.3).mean()
    np.testing.assert_array_equal(found[:, :80], NEAR)
    np.testing.assert_array_equal(found[:, 130:], FAR)


def test_an_edge_that_the_picture_does_not_show_is_no_wider_than_bilinear():
    picture, truth = two_walls(bright=0.25)
    seen, values = seen_by_network(picture, truth)

    found = upsample(values, seen, picture, PLAN)

    bilinear = cv2.resize(values, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found, bilinear, atol=0.15)


def test_what_is_painted_on_a_plane_moves_it_by_little():
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    checks = (rows // 24 + columns // 24) % 2
    picture = np.repeat((50 + 150 * checks)[..., None], 3, axis=-1).astype(np.uint8)
    truth = (2 + 0.01 * columns).astype(np.float32)

    found = upsample(*seen_by_network(picture, truth)[::-1], picture, PLAN)

    # From one of the network's pixels to the next it is 0.04; nothing goes further than that from
    # the nearest one, which is half of it away.
    off = np.abs(found - truth)
    assert off.mean() < 0.2 * 0.04 and off.max() < 1.5 * 0.04 + 1e-5


def test_holes_stay_as_large_as_they_are_and_spread_nothing():
    picture, truth = two_walls()
    seen, values = seen_by_network(picture, truth)
    values[10:20, 30:40] = np.nan
    values[0, 0] = np.inf

    found = upsample(values, seen, picture, PLAN)

    hole = np.zeros((HEIGHT, WIDTH), bool)
    hole[40:80, 120:160] = hole[:4, :4] = True
    np.testing.assert_array_equal(np.isnan(found), hole)
    np.testing.assert_array_equal(found[:, 112:][~hole[:, 112:]], FAR)


def test_nothing_known_is_nothing():
    picture, truth = two_walls()
    seen, values = seen_by_network(picture, truth)

    assert np.isnan(upsample(np.full_like(values, np.nan), seen, picture, PLAN)).all()


@pytest.mark.parametrize(
    ('plan', 'rows', 'columns'),
    [
        (Preprocessing.plan(160, 120, 56), slice(16, 144), slice(None)),
        (Preprocessing.cover(90, 160, (42, 56)), slice(None), slice(19, 139)),
    ],
    ids=['portrait', 'a second camera'],
)
def test_what_is_cut_off_is_nan_and_the_rest_in_its_place(plan, rows, columns):
    picture, truth = two_walls(plan)

    found = upsample(*seen_by_network(picture, truth, plan)[::-1], picture, plan)

    known = np.isfinite(found)
    expected = np.zeros_like(known)
    expected[rows, columns] = True
    np.testing.assert_array_equal(known, expected)
    assert np.abs(found - truth)[known].mean() < 0.02


def test_a_picture_smaller_than_what_the_network_sees_is_served_too():
    plan = Preprocessing.plan(30, 40, 56)
    picture, truth = two_walls(plan)

    found = upsample(*seen_by_network(picture, truth, plan)[::-1], picture, plan)

    assert found.shape == (30, 40)
    assert np.median(np.abs(found - truth)) < 0.01


@given(seed=st.integers(0, 2**32 - 1), holes=st.floats(0, 1), scale=st.floats(1e-3, 1e6))
@settings(max_examples=40, deadline=None)
def test_nothing_is_nearer_or_farther_than_what_the_network_gave(seed, holes, scale):
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    values = (scale * rng.uniform(0.1, 1, PLAN.size)).astype(np.float32)
    values[rng.uniform(size=PLAN.size) < holes] = np.nan
    seen = PLAN.picture(PLAN.apply(picture)).numpy()

    found = upsample(values, seen, picture, PLAN)

    np.testing.assert_array_equal(np.isnan(found), np.isnan(values).repeat(4, 0).repeat(4, 1))
    known = found[~np.isnan(found)]
    if known.size:
        assert np.nanmin(values) <= known.min() and known.max() <= np.nanmax(values)


def test_sizes_that_are_not_the_plans_are_refused():
    picture, truth = two_walls()
    seen, values = seen_by_network(picture, truth)

    with pytest.raises(ValueError, match=r'values are \(41, 56\).*\(42, 56\)'):
        upsample(values[1:], seen, picture, PLAN)
    with pytest.raises(ValueError, match=r'picture is \(167, 224\).*\(168, 224\)'):
        upsample(values, seen, picture[1:], PLAN)
