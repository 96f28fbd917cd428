# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Once the slots are full, no step asks the device for a number: the host would wait for it."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from xstreamvggt_ros.cache import (
    AttentionShape,
    CacheConfig,
    FrameLayout,
    StreamCache,
    StreamLayout,
)
from xstreamvggt_ros.cache.policies import POLICIES
from xstreamvggt_ros.cache.slots import HeldTokens

FRAME = FrameLayout(special_tokens=5, rows=6, columns=8)
BUDGET = 200
# Operators whose result, or its shape, has to be known to the host.
WAITING = {
    'item',
    '_local_scalar_dense',
    'nonzero',
    '_unique2',
    'unique_dim',
    'masked_select',
    'bincount',
}


class Refuse(TorchDispatchMode):
    """Fail where an operator makes the host wait."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket.__name__
        indices = args[1] if name in ('index', 'index_put_') else ()
        by_mask = any(each is not None and each.dtype == torch.bool for each in indices)
        assert name not in WAITING and not by_mask, f'{name} waits for the device'
        return func(*args, **(kwargs or {}))


def stream(frame: FrameLayout = FRAME, **config) -> StreamCache:
    layout = StreamLayout(
        frame, AttentionShape(2, 2, 16), AttentionShape(1, 2, 16), 4, torch.float32, torch.float32
    )
    config = CacheConfig(**{'budget_tokens': BUDGET, 'camera_budget_frames': 3, **config})
    return StreamCache(config, layout, torch.device('cpu'))


def step(cache: StreamCache, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(1, 2, cache.layout.frame.tokens, 16, generator=generator)
    with cache.frame():
        for layer in range(2):
            cache.attend_global(layer, tokens, tokens + 0.1 * seed, tokens)
        for iteration in range(4):
            one = tokens[:, :, iteration : iteration + 1]
            cache.attend_camera(iteration, 0, one, one, one)


@pytest.mark.parametrize('scheme', ['channel_static', 'kcvt'])
@pytest.mark.parametrize('policy', sorted(POLICIES))
def test_a_step_of_a_full_cache_waits_for_nothing(policy, scheme):
    cache = stream(policy=policy, scheme=scheme, bits=4)
    for seed in range(8):
        step(cache, seed)
    assert cache.layers[0].held == BUDGET

    with Refuse():
        for seed in range(8, 12):
            step(cache, seed)

    assert cache.layers[0].held == BUDGET


@pytest.mark.parametrize('rows', [2, 4, 6])
@pytest.mark.parametrize('strict', [True, False])
@pytest.mark.parametrize('scheme', ['channel_static', 'kcvt'])
def test_whether_a_step_waits_is_known_beforehand(scheme, strict, rows):
    """What does is never captured: it would fail, and the device with it."""
    frame = FrameLayout(special_tokens=5, rows=rows, columns=6)
    config = {'scheme': scheme, 'strict_budget': strict, 'bits': 4, 'policy': 'random'}
    cache = stream(frame, budget_tokens=90, **config)
    for seed in range(25):
        step(cache, seed)
    # Where more are forced than a frame has, slots may be empty.
    assert cache.layers[0].held > 90 - frame.tokens

    waited = False
    try:
        with Refuse():
            step(cache, 25)
    except AssertionError:
        waited = True

    assert cache.waits == waited
    assert not (cache.full and waited)
    assert cache.full or waited or cache.layers[0].held < 90


@pytest.mark.parametrize('policy', ['query_key', 'random', 'frame_diversity'])
def test_the_bound_on_forced_evictions_is_one(policy):
    cache = stream(policy=policy, scheme='kcvt', bits=4)
    for seed in range(30):
        step(cache, seed)
        for layer in cache.layers:
            frames, grids = (layer.slots[name][: layer.held] for name in ('frame', 'grid'))
            tokens = HeldTokens(frames, grids, newest=30, protected=0)
            forced = layer.keys.forced_evictions(layer.held, tokens)
            assert int(forced.sum()) <= layer.keys.most_forced <= FRAME.tokens


def test_frames_beyond_those_told_apart_are_still_ranked():
    cache = stream(policy='frame_diversity', bits=16)
    # One token of each of many frames, as no stream of whole frames gives them.
    layer = cache.layers[0]
    step(cache, 0)
    for seed in range(1, 5):
        step(cache, seed)
    layer.slots['frame'].copy_(torch.arange(BUDGET))
    cache.steps = BUDGET

    step(cache, 5)

    assert layer.held == BUDGET
    assert int((layer.slots['frame'] == BUDGET).sum()) == FRAME.tokens
