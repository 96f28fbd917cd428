# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The steady state as one CUDA graph, and the clock that it needs, which a CPU can run."""

import logging

import pytest
import torch

from xstreamvggt_ros.cache import (
    AttentionShape,
    CacheConfig,
    FrameLayout,
    StreamCache,
    StreamLayout,
)
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


@pytest.mark.parametrize('strict', [True, False])
@pytest.mark.parametrize('policy', ['frame_diversity', 'query_key', 'random'])
def test_a_clock_on_the_device_does_what_the_host_s_number_does(policy, strict):
    host, clocked = (stream(policy=policy, strict_budget=strict) for _ in range(2))
    # A camera list that is pruned as published takes in four tokens a frame until it is full.
    for index in range(9 if strict else 21):
        tokens = _tokens(index)
        expected = _step(host, tokens)
        if not clocked.full:
            _step(clocked, tokens)
            continue
        with clocked.clocked(torch.tensor(index)) as evicted:
            actual = _step(clocked, tokens)
        clocked.count(evicted)
        # Lists of fixed length are masked, in which attention rounds otherwise.
        torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)
    assert clocked.full
    stream(policy=policy, strict_budget=strict).load_state_dict(clocked.state_dict())
    _assert_same(clocked, host)


def test_a_frame_that_fails_half_way_leaves_a_captured_stream_that_can_be_loaded():
    host, clocked = stream(), stream()
    for index in range(6):
        _step(host, _tokens(index))
        _step(clocked, _tokens(index))
    for cache in (host, clocked):
        with pytest.raises(RuntimeError, match='lost'), cache.frame():
            cache.attend_global(0, *_tokens(6))
            raise RuntimeError('lost')

    captured = None
    for index in range(7, 10):
        _step(host, _tokens(index))
        with clocked.clocked(torch.tensor(clocked.steps)) as evicted:
            _step(clocked, _tokens(index))
        # A graph counts every time what it did when it was captured.
        captured = captured or evicted
        clocked.count(captured)

    stream().load_state_dict(clocked.state_dict())
    _assert_same(clocked, host)


def stream(**options):
    frame, shape = FrameLayout(5, 4, 5), AttentionShape(2, 2, 16)
    layout = StreamLayout(frame, shape, shape, 4, torch.float32, torch.float32)
    config = CacheConfig(budget_tokens=70, bits=4, camera_budget_frames=3, **options)
    return StreamCache(config, layout, torch.device('cpu'))


def _tokens(seed):
    return torch.randn(3, 1, 2, 25, 16, generator=torch.Generator().manual_seed(seed))


def _step(cache, tokens):
    queries, keys, values = tokens
    with cache.frame():
        attended = [cache.attend_global(block, queries, keys, values) for block in range(2)]
        for iteration in range(4):
            one = keys[:, :, iteration : iteration + 1]
            attended += [
                cache.attend_camera(iteration, block, one, one, one).expand_as(queries)
                for block in range(2)
            ]
    return torch.stack(attended)


def _assert_same(actual, expected):
    actual = actual.state_dict()
    for name, tensor in expected.state_dict().items():
        assert torch.equal(actual[name], tensor), name


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
