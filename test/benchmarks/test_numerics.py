# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bounds on what fewer bits change: the figures of docs/performance.md, with room to spare."""

import pytest

from benchmarks.numerics import deviations, network

# Pose: by the path of six or eight frames of a network whose weights mean nothing.
BOUNDS = {'bfloat16': (0.01, 0.005), 'int8': (0.01, 0.012), 'float8': (0.012, 0.06)}


@pytest.mark.parametrize('name', ['conv4', 'vits4'])
def test_fewer_bits_stay_near_fp32_on_the_golden_networks(name):
    make, images = network(name, None)

    found = deviations(make, images)

    for dtype, (depth, pose) in BOUNDS.items():
        assert 0 < found[dtype].depth < depth
        assert 0 < found[dtype].pose < pose
