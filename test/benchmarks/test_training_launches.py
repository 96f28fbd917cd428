# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bounds on the kernels of a training step, with room for a little more."""

from benchmarks.training_launches import count_step
from xstreamvggt_ros.model import ModelConfig


def test_a_training_step_launches_few_kernels():
    captured, rest = count_step(ModelConfig.preset('tiny'))

    # 3,349 and 150 when this was written; 5,390 and 40 for every sequence before it was batched.
    assert captured.total() <= 3_600
    assert rest.total() <= 200
    # One attention a block: none is repeated for every frame.
    attention = [n for name, n in captured.items() if 'attention' in name and 'back' not in name]
    assert sum(attention) == 2 + 4 + 4 + 4
