# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
import re

from hypothesis import given
from hypothesis import strategies as st
import pytest

from xstreamvggt_ros.cache import BudgetTooSmall, CacheConfig, FrameLayout
from xstreamvggt_ros.cache.budget import plan_slots

FRAME = FrameLayout(special_tokens=5, rows=7, columns=5)


def no_bytes(tokens: int) -> int:
    raise AssertionError('only budget_mib asks for bytes')


@pytest.mark.parametrize(
    ('config', 'budget', 'capacity', 'protected'),
    [
        (CacheConfig(), None, None, 40),
        (CacheConfig(budget_tokens=200), 200, 200, 40),
        (CacheConfig(budget_frames=5), 200, 200, 40),
        (CacheConfig(budget_tokens=80), 80, 80, 40),
        (CacheConfig(budget_tokens=79), 79, 79, 5),
        (CacheConfig(budget_tokens=45), 45, 45, 5),
        (CacheConfig(budget_tokens=30, strict_budget=False), 30, 80, 40),
        (CacheConfig(budget_tokens=120, strict_budget=False), 120, 120, 40),
    ],
)
def test_what_is_held_and_protected(config, budget, capacity, protected):
    plan = plan_slots(config, FRAME, no_bytes)
    assert (plan.budget, plan.capacity, plan.protected) == (budget, capacity, protected)


@pytest.mark.parametrize('config', [CacheConfig(budget_tokens=44), CacheConfig(budget_frames=1)])
def test_a_budget_below_the_least_is_refused_with_the_least(config):
    with pytest.raises(BudgetTooSmall, match='budget_tokens 45'):
        plan_slots(config, FRAME, no_bytes)


@given(st.floats(0.001, 100), st.integers(1, 5000), st.integers(0, 2**20))
def test_a_budget_in_mib_is_filled_but_never_exceeded(mib, per_token, constant):
    def cache_bytes(tokens: int) -> int:
        return constant + per_token * tokens

    allowed = mib * 2**20
    if cache_bytes(45) > allowed:
        with pytest.raises(BudgetTooSmall, match='budget_mib') as refused:
            plan_slots(CacheConfig(budget_mib=mib), FRAME, cache_bytes)
        named = float(re.search(r'take (\S+) MiB; use that', str(refused.value)).group(1))
        assert plan_slots(CacheConfig(budget_mib=named), FRAME, cache_bytes).capacity >= 45
        return
    capacity = plan_slots(CacheConfig(budget_mib=mib), FRAME, cache_bytes).capacity
    assert cache_bytes(capacity) <= allowed < cache_bytes(capacity + 1)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'budget_tokens': 10, 'budget_mib': 1}, 'budget_tokens=10, budget_mib=1'),
        ({'budget_tokens': 0}, 'budget_tokens is 0'),
        ({'budget_mib': -1.0}, 'budget_mib is -1'),
        ({'budget_mib': float('nan')}, 'budget_mib is nan'),
        ({'budget_mib': float('inf')}, 'budget_mib is inf'),
        ({'budget_tokens': 50.5}, 'budget_tokens is 50.5; use a whole number'),
        ({'budget_tokens': 2048.0}, 'budget_tokens is 2048.0; use a whole number'),
        ({'budget_tokens': 10**9}, 'budget_tokens is 1000000000; use 1 or more, up to 10000000'),
        ({'budget_frames': True}, 'budget_frames is True; use a whole number'),
        ({'budget_mib': '50'}, "budget_mib is '50'; use a number"),
        ({'bits': 4.0}, 'bits is 4.0; use a whole number'),
        ({'strict_budget': 1}, 'strict_budget is 1; use a bool'),
        ({'policy': None}, 'policy is None; use a str'),
        ({'seed': 2**62}, 'seed is'),
        ({'bits': 3}, 'bits is 3.*2, 4, 8, 16'),
        ({'value_bits': 1}, 'value_bits is 1'),
        ({'scheme': 'zip'}, "scheme is 'zip'"),
        ({'policy': 'best'}, "policy is 'best'.*query_key"),
        ({'pool_size': 0}, 'pool_size is 0'),
        ({'camera_budget_frames': 1}, 'camera_budget_frames is 1'),
        ({'camera_cache': 'both'}, "camera_cache is 'both'"),
        ({'budget_mib': 1, 'strict_budget': False}, 'strict_budget=False'),
    ],
)
def test_a_setting_that_means_nothing_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        CacheConfig(**changes)
