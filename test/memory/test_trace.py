# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame's tensors take, counted on no memory at all."""

import torch

from xstreamvggt_ros.memory.trace import trace_frame
from xstreamvggt_ros.model import ModelConfig, StreamVGGT

TINY = ModelConfig.preset('tiny')


def trace(height=56, width=84, point_head=False):
    return trace_frame(TINY, height, width, torch.float32, point_head)


def test_weights_are_those_of_the_network():
    numbers = sum(each.numel() for each in StreamVGGT(TINY).parameters())

    assert (trace().numbers, trace().weights) == (numbers, 4 * numbers)


def test_the_peak_holds_at_least_two_maps_of_the_dense_head_and_grows_as_they_do():
    pixels = 56 * 84
    widest = 4 * TINY.dpt_features // 2 * pixels

    assert trace().peak >= 2 * widest
    assert 3.5 * trace().peak < trace(112, 168).peak < 4.5 * trace().peak


def test_while_a_block_attends_its_own_tokens_are_there():
    layout = trace().layout
    tokens = layout.frame.tokens * layout.global_blocks.heads * layout.global_blocks.head_dim

    assert layout.frame.tokens == TINY.tokens_per_frame(56, 84)
    # Tokens, queries, keys and values.
    assert 4 * 4 * tokens <= trace().attending < trace().peak


def test_another_head_takes_no_less():
    assert trace(point_head=True).peak >= trace().peak
    assert trace(point_head=True).weights == trace().weights
