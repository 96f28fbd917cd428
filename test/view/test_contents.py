# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The newest of everything, and what is new of it."""

import numpy as np
import pytest

from xstreamvggt_ros.view.contents import Lens, Looker, PageContents


def test_who_looks_sees_the_newest_once():
    contents = PageContents()
    look = Looker(contents)
    assert look.new('stream') is None
    contents.put('stream', 1)
    contents.put('stream', 2)
    assert look.new('stream') == 2
    assert look.new('stream') is None
    assert contents.get('stream') == 2 and contents.count('stream') == 2
    contents.put('stream', 2)
    assert look.new('stream') == 2


def test_what_is_of_another_type_is_refused():
    with pytest.raises(TypeError, match='path is a list, not ndarray'):
        PageContents().put('path', [])


def test_a_lens_gives_what_a_frustum_needs():
    lens = Lens(np.array([[100.0, 0, 80], [0, 100, 60], [0, 0, 1]]), 120, 160)
    assert lens.fov == pytest.approx(2 * np.arctan(0.6))
    assert lens.aspect == pytest.approx(160 / 120)
