# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from xstreamvggt_ros.synthetic import SequenceConfig


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        ({'scene': 'kitchen'}, "scene is 'kitchen': choose one of room, outdoor, mixed"),
        ({'motion': 'flying'}, "motion is 'flying'"),
        ({'frames': 0}, 'frames is 0'),
        ({'height': 4}, 'height is 4'),
        ({'width': 10_000}, 'width is 10000'),
        ({'seed': -1}, 'seed is -1'),
        ({'speed': 0.0}, 'speed is 0.0'),
        ({'speed': float('nan')}, 'speed is nan'),
        ({'horizontal_fov': (90, 60)}, 'horizontal_fov'),
        ({'horizontal_fov': (60,)}, 'give \\(least, most\\)'),
        ({'horizontal_fov': (60, 175)}, 'horizontal_fov'),
        ({'clutter': 9.0}, 'clutter is 9.0'),
        ({'principal_offset': 0.6}, 'principal_offset is 0.6'),
        ({'samples_per_pixel': 0}, 'samples_per_pixel is 0'),
    ],
)
def test_bad_values_are_refused(change, says):
    with pytest.raises(ValueError, match=says):
        SequenceConfig(**change)
