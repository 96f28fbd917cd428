# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images that use few of their 16 bits."""

import numpy as np
import pytest

from xstreamvggt_ros.images.value_range import ValueRange

RAMP = np.random.default_rng(0).permutation(np.linspace(0, 1, 64 * 48, dtype=np.float32))
RAMP = RAMP.reshape(48, 64, 1).repeat(3, axis=2)


def values(low, high):
    """Fill the range of values from `low` to `high` of 65535."""
    return (RAMP * (high - low) + low).astype(np.float32) / np.float32(65535)


@pytest.mark.parametrize(('low', 'high'), [(0, 4095), (0, 1023), (28_900, 30_100)])
def test_what_uses_little_of_the_range_is_spread_and_told_once(low, high):
    told = []
    value_range = ValueRange(told.append)
    for _ in range(3):
        spread = value_range.apply(values(low, high), 'auto')

    assert spread.dtype == np.float32
    assert spread.min() == 0 and spread.max() == 1
    np.testing.assert_allclose(spread, RAMP, atol=0.05)
    (line,) = told
    assert 'input.value_range' in line and 'of 65535' in line


def test_what_uses_its_range_stays_bit_for_bit():
    told = []
    image = values(500, 60_000)
    assert ValueRange(told.append).apply(image, 'auto') is image
    assert not told


def test_bits_are_the_whole_range_and_full_is_as_it_is():
    value_range = ValueRange(print)
    np.testing.assert_allclose(value_range.apply(values(0, 4095), '12'), RAMP, atol=1e-6)
    assert value_range.apply(values(0, 65535), '12').max() == 1
    image = values(0, 4095)
    assert value_range.apply(image, 'full') is image


def test_the_range_follows_slowly_so_that_one_image_does_not_flicker():
    value_range = ValueRange(lambda line: None)
    for _ in range(20):
        steady = value_range.apply(values(1000, 3000), 'auto')
    value_range.apply(values(1000, 5000), 'auto')
    after = value_range.apply(values(1000, 3000), 'auto')
    assert np.abs(after - steady).max() < 0.15


def test_one_value_everywhere_gives_finite_numbers():
    spread = ValueRange(lambda line: None).apply(values(700, 700), 'auto')
    assert np.isfinite(spread).all()


BRIGHT = values(300, 50_000)


def test_a_camera_that_began_in_the_dark_is_not_spread_for_good():
    told = []
    value_range = ValueRange(told.append)
    value_range.apply(values(10, 90), 'auto')
    for _ in range(3):
        last = value_range.apply(BRIGHT, 'auto')

    assert last is BRIGHT
    assert 'are spread' in told[0] and 'not spread any more' in told[1]
    # Nor is it spread by the next dark image.
    dark = values(10, 90)
    assert value_range.apply(dark, 'auto') is dark
    assert len(told) == 2


def test_a_dark_image_between_others_changes_nothing():
    told = []
    value_range = ValueRange(told.append)
    for _ in range(3):
        value_range.apply(BRIGHT, 'auto')
    dark = values(10, 90)
    assert value_range.apply(dark, 'auto') is dark
    assert not told


def test_single_damaged_images_do_not_end_the_spreading_of_a_thermal_camera():
    value_range = ValueRange(lambda line: None)
    thermal = values(28_900, 30_100)
    for _ in range(10):
        value_range.apply(thermal, 'auto')
        value_range.apply(BRIGHT, 'auto')
    assert value_range.apply(thermal, 'auto') is not thermal
