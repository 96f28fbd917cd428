# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Depth that RVL has compressed."""

from contextlib import contextmanager
import sys

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
import numpy as np
import pytest
from rvl_packing import Nibbles, pack_rvl, pack_rvl_at_once

from xstreamvggt_ros.images.rvl import RvlError, unpack_rvl


@settings(deadline=None, max_examples=60)
@given(
    arrays(np.uint16, st.integers(1, 60), elements=st.sampled_from([0, 0, 0, 1, 700, 701, 65535]))
)
def test_whatever_is_packed_is_unpacked(numbers):
    np.testing.assert_array_equal(unpack_rvl(pack_rvl(numbers), len(numbers)), numbers)


def test_noise_in_which_each_pixel_is_a_run_is_unpacked_without_counting_in_python():
    rng = np.random.default_rng(1)
    small, large = (rng.integers(1, 2**16, size, np.uint16) for size in (40, 1 << 20))
    for numbers in (small, large):
        numbers[::2] = 0
    assert pack_rvl_at_once(small) == pack_rvl(small)
    packed = pack_rvl_at_once(large)

    with lines_run() as lines:
        unpacked = unpack_rvl(packed, len(large))

    np.testing.assert_array_equal(unpacked, large)
    assert len(lines) < len(large) / 100


@contextmanager
def lines_run():
    """Count the lines of Python that are run meanwhile."""
    lines = []

    def trace(frame, event, _):
        if event == 'line':
            lines.append(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)


# Pixels that nobody codes so: each its own run, none of which has depth, or is without.
@pytest.mark.parametrize('run', [(1, 0), (0, 1, 2)])
def test_runs_that_no_publisher_makes_are_refused(run):
    out = Nibbles()
    for value in run * 12:
        out.put(value)
    with pytest.raises(RvlError, match='a run of'):
        unpack_rvl(out.bytes(), 12)
