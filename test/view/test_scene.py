# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is drawn goes when its stream does."""

from unittest.mock import MagicMock

import numpy as np
import pytest

from xstreamvggt_ros.view.contents import Looker, PageContents
from xstreamvggt_ros.view.scene import ViewScene
from xstreamvggt_ros.view.settings import Bounds

PATH = np.eye(3, dtype=np.float32)


@pytest.fixture
def drawn():
    """Give contents, what draws them, and the path that it has drawn."""
    api, contents = MagicMock(), PageContents()
    scene, look = ViewScene(api, Bounds()), Looker(contents)
    contents.put('stream', 1)
    contents.put('path', PATH)
    scene.draw(look)
    path = api.add_line_segments.return_value
    path.remove.assert_not_called()
    return contents, lambda: scene.draw(look), path


def test_a_path_of_one_place_is_none(drawn):
    contents, draw, path = drawn
    contents.put('path', PATH[:1])
    draw()
    path.remove.assert_called_once()


@pytest.mark.parametrize('number', [2, 1])
def test_a_stream_that_begins_clears_the_one_before_whatever_its_number(drawn, number):
    contents, draw, path = drawn
    draw()
    path.remove.assert_not_called()
    contents.put('stream', number)
    draw()
    path.remove.assert_called_once()
