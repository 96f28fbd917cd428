# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Text of others is shown, and floods nothing."""

from hypothesis import given
from hypothesis import strategies as st

from xstreamvggt_ros.geometry.quoting import LONGEST, quoted


@given(st.text(max_size=2 * LONGEST))
def test_it_is_one_line_of_bounded_length(text):
    shown = quoted(text)
    assert shown.isprintable() and len(shown) <= 10 * LONGEST + 2
    assert len(text) > LONGEST or shown == repr(text)


def test_of_a_long_one_beginning_and_length_are_told():
    assert quoted('a' * 10_000_000) == f"'{'a' * 20}'… in 10000000 characters"
