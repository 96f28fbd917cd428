# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The dense control, beside the cache that ships."""

from arrivals import FRAME, names, new_frame, ROOM, SHAPE
import pytest
from shapes import SMALLEST
import torch

from benchmarks.methods.catalogue import CONTROL, METHODS
from benchmarks.methods.dense import DenseCache, reconstruct
from benchmarks.methods.shipped import Room
from xstreamvggt_ros.cache import CacheConfig, StreamCache, StreamLayout
from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.stream.layout import stream_layout

LAYOUT = StreamLayout(FRAME, SHAPE, SHAPE, 1, torch.float32, torch.float32)


def shipped(slots):
    return CacheConfig.recommended().with_budget(budget_tokens=slots)


def held_by(cache):
    frames, grids = (cache.slots[name][: cache.held].tolist() for name in ('frame', 'grid'))
    return sorted(zip(frames, grids, strict=True))


def test_the_control_keeps_the_slots_that_the_shipped_cache_keeps():
    packed = StreamCache(shipped(ROOM.slots), LAYOUT, torch.device('cpu'))
    dense = DenseCache(LAYOUT, METHODS[CONTROL](ROOM))

    for index in range(12):
        with packed.frame(), dense.frame():
            for layer in range(SHAPE.blocks):
                new = new_frame(index, layer)
                assert torch.allclose(
                    packed.attend_global(layer, *new),
                    dense.attend_global(layer, *new),
                    atol=1e-5,
                )
        for cache, held in zip(packed.layers, dense.held, strict=True):
            assert held_by(cache) == sorted(names(held))
    assert packed.layers[1].evictions == 8 * FRAME.tokens
    assert dense.bytes == sum(layer.bytes for layer in packed.stats().layers)


def test_a_network_answers_alike_with_either():
    torch.manual_seed(0)
    model = StreamVGGT(SMALLEST).eval()
    images = torch.rand(8, 3, 56, 56)
    layout = stream_layout(model, 56, 56)
    slots = 4 * layout.frame.tokens
    stream = StreamingReconstructor(model, shipped(slots), point_head=False)
    room = Room(slots, layout.global_blocks, layout.frame)
    answers, cache = reconstruct(model, images, METHODS[CONTROL](room))

    for image, answer in zip(images, answers, strict=True):
        expected = stream.step(image)
        assert torch.allclose(answer.depth, expected.depth, rtol=1e-4)
        assert torch.allclose(answer.camera_from_world, expected.camera_from_world, atol=1e-5)
    assert cache.bytes == sum(layer.bytes for layer in stream.cache_stats().layers)


@pytest.mark.parametrize('name', METHODS)
def test_no_method_takes_more_than_the_control(name):
    dense = DenseCache(LAYOUT, METHODS[name](ROOM))
    for index in range(16):
        with dense.frame():
            for layer in range(SHAPE.blocks):
                dense.attend_global(layer, *new_frame(index, layer))
        kept = [set(names(held)) for held in dense.held]
        # The newest frame and the first one's special token.
        newest = {(index, grid) for grid in range(FRAME.tokens)}
        assert all(newest | {(0, 0)} <= each for each in kept)

    allowed = SHAPE.blocks * ROOM.layer_bytes
    assert 0.8 * allowed < dense.bytes <= allowed
