# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The steady state as one CUDA graph, and the clock that it needs, which a CPU can run."""

import logging

import pytest
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor

CONFIG = CacheConfig(budget_tokens=60, bits=4, policy='frame_diversity', camera_budget_frames=3)


def reconstructor(device='cpu', **options):
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    return StreamingReconstructor(model.to(device), CONFIG, point_head=False, **options)


def images(count):
    return torch.rand(count, 3, 42, 56, generator=torch.Generator().manual_seed(0))


def test_on_a_cpu_a_graph_that_is_asked_for_changes_nothing():
    plain, asked = reconstructor(), reconstructor(cuda_graph=True)
    for image in images(8):
        assert torch.equal(plain.step(image).depth, asked.step(image).depth)


@pytest.mark.parametrize('policy', ['frame_diversity', 'query_key', 'random'])
def test_a_clock_on_the_device_does_what_the_host_s_number_does(policy):
    from xstreamvggt_ros.cache import AttentionShape, FrameLayout, StreamCache, StreamLayout

    frame, shape = FrameLayout(5, 4, 5), AttentionShape(1, 2, 16)
    layout = StreamLayout(frame, shape, shape, 4, torch.float32, torch.float32)
    config = CacheConfig(budget_tokens=70, bits=4, policy=policy, camera_budget_frames=3)
    caches = [StreamCache(config, layout, torch.device('cpu')) for _ in range(2)]
    for index in range(9):
        tokens = torch.randn(3, 1, 2, frame.tokens, 16, generator=_seeded(index))
        host, clocked = caches
        expected = _step(host, tokens)
        if not clocked.full:
            _step(clocked, tokens)
            continue
        with clocked.clocked(torch.tensor(index)) as changes:
            actual = _step(clocked, tokens)
        clocked.count(changes)
        assert torch.equal(actual, expected)
    assert clocked.full
    for name, tensor in host.state_dict().items():
        assert torch.equal(clocked.state_dict()[name], tensor), name


def _step(cache, tokens):
    queries, keys, values = tokens
    with cache.frame():
        attended = cache.attend_global(0, queries, keys, values)
        for iteration in range(4):
            one = keys[:, :, iteration : iteration + 1]
            cache.attend_camera(iteration, 0, one, one, one)
    return attended


def _seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_a_captured_stream_gives_what_a_stepped_one_does(caplog):
    caplog.set_level(logging.INFO, 'xstreamvggt_ros')
    plain, captured = reconstructor('cuda'), reconstructor('cuda', cuda_graph=True)
    for image in images(12):
        expected, actual = plain.step(image), captured.step(image)
        torch.testing.assert_close(actual.depth, expected.depth, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(actual.pose_encoding, expected.pose_encoding)
    assert captured.cache_stats().evictions == plain.cache_stats().evictions
    assert not caplog.records

    captured.reset()
    for image in images(12):
        captured.step(image)

    assert ['captured anew' in record.message for record in caplog.records] == [True]
