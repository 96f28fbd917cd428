# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
from hypothesis import given, settings
from hypothesis import strategies as st
import pytest
import torch

from xstreamvggt_ros.cache import (
    AttentionShape,
    BudgetTooSmall,
    CacheConfig,
    FrameLayout,
    StreamCache,
    StreamLayout,
)
from xstreamvggt_ros.cache.layer_cache import LayerCache
from xstreamvggt_ros.cache.policies import POLICIES

CPU = torch.device('cpu')
HEADS, DIM, BLOCKS = 2, 8, 2
CAMERA = AttentionShape(blocks=1, heads=1, head_dim=8)


def layout(rows: int, columns: int) -> StreamLayout:
    return StreamLayout(
        frame=FrameLayout(5, rows, columns),
        global_blocks=AttentionShape(BLOCKS, HEADS, DIM),
        camera_blocks=CAMERA,
        camera_iterations=4,
        dtype=torch.float32,
        camera_dtype=torch.float32,
    )


def advance(cache: StreamCache, seed: int, keep: bool = True) -> None:
    """Run one frame of random tokens through the cache, as a network would."""
    generator = torch.Generator().manual_seed(seed)
    tokens = cache.layout.frame.tokens
    with cache.frame(keep):
        for layer in range(BLOCKS):
            cache.attend_global(layer, *torch.randn(3, 1, HEADS, tokens, DIM, generator=generator))
        for iteration in range(4):
            cache.attend_camera(iteration, 0, *torch.randn(3, 1, 1, 1, 8, generator=generator))


def held(cache: StreamCache, layer: int) -> list[tuple[int, int]]:
    """Return (frame, grid index) of every live slot."""
    slots = cache.layers[layer].slots
    live = slots['frame'] >= 0
    return list(zip(slots['frame'][live].tolist(), slots['grid'][live].tolist(), strict=True))


CONFIGS = st.fixed_dictionaries(
    {
        'bits': st.sampled_from([2, 4, 8, 16]),
        'value_bits': st.sampled_from([None, 2, 8, 16]),
        'scheme': st.sampled_from(['channel_static', 'kcvt']),
        'policy': st.sampled_from(sorted(POLICIES)),
        'pool_size': st.integers(1, 9),
        'camera_budget_frames': st.integers(2, 5),
        'camera_cache': st.sampled_from(['shared', 'per_iteration']),
    }
)


@settings(deadline=None, max_examples=60)
@given(
    config=CONFIGS,
    grid=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    extra=st.integers(0, 200),
    keeps=st.lists(st.booleans() | st.just(True), min_size=1, max_size=14),
    seed=st.integers(0, 1000),
)
def test_the_budget_is_never_exceeded_and_what_is_protected_stays(
    config, grid, extra, keeps, seed
):
    shape = layout(*grid)
    tokens = shape.frame.tokens
    budget = tokens + 5 + extra
    cache = StreamCache(CacheConfig(budget_tokens=budget, **config), shape, CPU)
    allocated = cache.stats().bytes
    arrived = 0
    for index, keep in enumerate(keeps):
        advance(cache, seed + index, keep)
        arrived += keep
        stats = cache.stats()
        assert stats.bytes == allocated
        for layer in range(BLOCKS):
            live = held(cache, layer)
            assert len(live) == len(set(live)) == stats.layers[layer].tokens <= budget
            if config['scheme'] != 'kcvt' or config['bits'] == 16:
                assert len(live) == min(arrived * tokens, budget)
            if not arrived:
                continue
            assert {(arrived - 1, token) for token in range(tokens)} <= set(live)
            kept_whole = 2 * tokens <= budget or arrived == 1
            first = tokens if kept_whole else 5
            assert {(0, token) for token in range(first)} <= set(live)
            assert stats.layers[layer].evictions == arrived * tokens - len(live)


@settings(deadline=None, max_examples=40)
@given(
    config=CONFIGS,
    grid=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    mib=st.floats(0.001, 0.3),
    frames=st.integers(1, 6),
)
def test_a_budget_in_mib_bounds_the_bytes_reported(config, grid, mib, frames):
    shape = layout(*grid)
    try:
        cache = StreamCache(CacheConfig(budget_mib=mib, **config), shape, CPU)
    except BudgetTooSmall:
        return
    for index in range(frames):
        advance(cache, index)
    stats = cache.stats()
    assert stats.bytes <= mib * 2**20
    one_more = stats.layers[0].budget + 1
    larger = StreamCache(CacheConfig(budget_tokens=one_more, **config), shape, CPU)
    assert larger.stats().bytes > mib * 2**20


@pytest.mark.parametrize('scheme', ['channel_static', 'kcvt'])
@pytest.mark.parametrize('policy', sorted(POLICIES))
def test_a_stored_tokens_bytes_never_change_while_it_lives(policy, scheme):
    cache = StreamCache(
        CacheConfig(budget_tokens=90, bits=4, policy=policy, scheme=scheme), layout(5, 5), CPU
    )
    layer = cache.layers[0]
    stored: dict[tuple[int, int], tuple] = {}
    for index in range(200):
        advance(cache, index)
        keys, values = (torch.empty(layer.held, HEADS, DIM) for _ in range(2))
        layer.read(keys, values)
        packed = [layer.keys.tensors()['codes'], layer.values.tensors()['codes']]
        now = {}
        for slot, token in enumerate(held(cache, 0)):
            rows = [rows[slot].clone() for rows in (keys, values, *packed)]
            now[token] = rows
            if token in stored:
                assert all(
                    torch.equal(one, other) for one, other in zip(stored[token], rows, strict=True)
                )
        stored = now


@pytest.mark.parametrize('columns', [1, 5, 20])
@pytest.mark.parametrize('scheme', ['channel_static', 'kcvt'])
def test_the_newest_frame_reads_near_what_was_given(scheme, columns):
    cache = StreamCache(
        CacheConfig(budget_tokens=230, bits=8, scheme=scheme, policy='random'),
        layout(5, columns),
        CPU,
    )
    layer, count = cache.layers[0], cache.layout.frame.tokens
    for index in range(60):
        advance(cache, index)
        generator = torch.Generator().manual_seed(index)
        given_keys = torch.randn(3, 1, HEADS, count, DIM, generator=generator)[1, 0]
        keys, values = (torch.empty(layer.held, HEADS, DIM) for _ in range(2))
        layer.read(keys, values)
        newest = layer.slots['frame'][: layer.held] == index
        order = layer.slots['grid'][: layer.held][newest].argsort()
        torch.testing.assert_close(
            keys[newest][order].transpose(0, 1), given_keys, rtol=0, atol=0.05
        )


def test_the_cache_allocates_nothing_once_it_is_full():
    cache = StreamCache(CacheConfig(budget_tokens=90, bits=4), layout(5, 5), CPU)
    addresses = None
    for index in range(100):
        advance(cache, index)
        if index == 10:
            addresses = {tensor.data_ptr() for tensor in every_tensor(cache)}
    assert {tensor.data_ptr() for tensor in every_tensor(cache)} == addresses


def every_tensor(cache: StreamCache) -> list[torch.Tensor]:
    persistent = [tensor for entry in cache.layers for tensor in entry.tensors().values()]
    camera = cache.camera.tensors() + cache.camera.scratch_tensors()
    return persistent + cache.scratch.tensors() + camera


def test_the_camera_head_keeps_the_first_frame_and_the_newest():
    cache = StreamCache(CacheConfig(budget_tokens=90, camera_budget_frames=3), layout(5, 5), CPU)
    for index in range(9):
        advance(cache, index)
    assert sorted(cache.state_dict()['camera.frames'].tolist()) == [0, 7, 8]


def test_each_layer_knows_which_it_is_of_how_many():
    cache = StreamCache(CacheConfig(budget_tokens=90), layout(5, 5), CPU)
    assert [(each.layer, each.layers) for each in cache.layers] == [
        (index, BLOCKS) for index in range(BLOCKS)
    ]
    layer = cache.layers[0]
    with pytest.raises(ValueError, match='layer 2 is none of 2'):
        LayerCache(layer.plan, layer.frame, layer.keys, layer.values, layer.policy, {}, CPU, 2, 2)


def test_without_a_budget_everything_is_kept():
    cache = StreamCache(CacheConfig(bits=4, scheme='kcvt'), layout(5, 5), CPU)
    for index in range(12):
        advance(cache, index)
    stats = cache.stats()
    assert [layer.tokens for layer in stats.layers] == [12 * 30] * BLOCKS
    assert stats.layers[0].budget is None
    assert stats.layers[0].frames == 12
    assert stats.evictions == 0
    assert len(cache.camera.lists[0].slots['frame'].nonzero()) >= 4 * 11


def test_the_same_seed_draws_the_same_lot_again():
    config = CacheConfig(budget_tokens=70, policy='random', seed=3)
    one, other = (StreamCache(config, layout(5, 5), CPU) for _ in range(2))
    different = StreamCache(
        CacheConfig(budget_tokens=70, policy='random', seed=4), layout(5, 5), CPU
    )
    for index in range(5):
        for cache in (one, other, different):
            advance(cache, index)
    assert held(one, 0) == held(other, 0) != held(different, 0)


def test_a_frame_that_fails_half_way_does_not_end_the_stream():
    cache = StreamCache(CacheConfig(budget_tokens=90, bits=4), layout(5, 5), CPU)
    advance(cache, 0)
    with pytest.raises(RuntimeError, match='lost'), cache.frame():
        cache.attend_global(0, *torch.randn(3, 1, HEADS, 30, DIM))
        cache.attend_camera(0, 0, *torch.randn(3, 1, 1, 1, 8))
        raise RuntimeError('lost')
    for index in range(1, 6):
        advance(cache, index)
        assert all(layer.tokens <= 90 for layer in cache.stats().layers)


PUBLISHED = CacheConfig(
    budget_tokens=40, bits=4, scheme='kcvt', strict_budget=False, policy='random'
)


def test_a_table_of_scales_that_grew_is_taken_over():
    """As the published method has it: tokens chosen by lot leave parts of many groups."""
    cache = StreamCache(PUBLISHED, layout(3, 4), CPU)
    for index in range(9):
        advance(cache, index)
    state = cache.state_dict()
    fresh = StreamCache(PUBLISHED, layout(3, 4), CPU)
    assert len(state['layers.0.key.step']) > len(fresh.layers[0].tensors()['key.step'])

    fresh.load_state_dict(state)

    for each in (cache, fresh):
        advance(each, 9)
    again = fresh.state_dict()
    assert all(torch.equal(value, again[name]) for name, value in cache.state_dict().items())
    fresh.clear()
    advance(fresh, 0)
    StreamCache(PUBLISHED, layout(3, 4), CPU).load_state_dict(fresh.state_dict())


def test_a_table_of_more_scales_than_such_a_stream_can_have_is_refused_and_not_allocated():
    cache = StreamCache(PUBLISHED, layout(3, 4), CPU)
    for index in range(9):
        advance(cache, index)
    state = cache.state_dict()
    for name in ('minimum', 'step'):
        # A view, as large as a file may say and no larger than one row.
        row = state[f'layers.0.key.{name}'][:1]
        state[f'layers.0.key.{name}'] = row.expand(10**9, -1, -1)
    with pytest.raises(ValueError, match='layers.0.*key.minimum is missing or not'):
        StreamCache(PUBLISHED, layout(3, 4), CPU).load_state_dict(state)
