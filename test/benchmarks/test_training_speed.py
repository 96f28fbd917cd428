# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every shape of every stage is timed, and a step's frames are counted."""

import pytest
from shapes import SMALLEST
import torch

from benchmarks.training_speed import measure
from xstreamvggt_ros.training.config import quick, RECIPES


def test_every_shape_is_timed():
    config = quick(RECIPES['gpu'])
    rows = list(measure(config, SMALLEST, torch.device('cpu'), 0.01, True))
    assert [(row.size, row.shape) for row in rows] == [((42, 56), (2, 2)), ((42, 56), (1, 3))] * 2
    for row in rows:
        count, frames = row.shape
        assert row.frames_per_second == pytest.approx(row.steps_per_second * count * frames)
        assert row.steps_per_second > 0
