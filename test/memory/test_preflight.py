# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What fits, and what is advised where it does not."""

from dataclasses import replace

import pytest
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.memory.estimate import estimate, MIB, named, Settings
from xstreamvggt_ros.memory.preflight import check_fit, check_map, NotEnoughMemory
from xstreamvggt_ros.model import ModelConfig
from xstreamvggt_ros.world.mapping import BYTES_PER_POINT

BUDGET = CacheConfig(budget_tokens=2048, bits=4, policy='frame_diversity')


def settings(**changes):
    return replace(Settings(ModelConfig.preset('tiny'), BUDGET, 224, torch.float32), **changes)


def test_what_fits_is_returned_and_what_does_not_is_refused_with_the_numbers():
    asked = settings()
    total = estimate(asked).total

    assert check_fit(asked, total, 'cpu') == estimate(asked)
    with pytest.raises(NotEnoughMemory) as refused:
        check_fit(asked, total - 1, 'abacus')
    said = str(refused.value)
    assert f'abacus has {named(total - 1)} of memory free' in said
    assert f'this takes about {named(total)} at 224x168 (weights ' in said
    for part in ('weights', 'cache', 'scratch', 'activations', 'allowance'):
        assert f'{part} {named(getattr(estimate(asked), part))}' in said
    assert 'one of these would fit: model.dtype bfloat16' in said


@pytest.mark.parametrize('share', [0.95, 0.8, 0.65])
def test_every_remedy_fits_when_tried(share):
    asked = settings(cache=CacheConfig(budget_tokens=65536, bits=16), image_size=504)
    free = int(share * estimate(asked).total)
    found = remedies(asked, free)

    assert found
    for changes in found:
        assert estimate(changed(asked, changes)).total <= free


def test_where_no_single_change_is_enough_several_are_named():
    asked = settings(cache=CacheConfig(budget_tokens=65536, bits=16), image_size=504)
    least = settings(
        cache=CacheConfig(budget_tokens=256, bits=8), image_size=224, dtype=torch.bfloat16
    )
    free = estimate(least).total
    (changes,) = remedies(asked, free)

    assert 'model.dtype bfloat16' in changes and 'cache.budget_tokens' in changes
    assert estimate(changed(asked, changes)).total <= free


def test_int8_is_advised_where_it_runs():
    asked = settings(dtype=torch.bfloat16, on_cpu=True, image_size=112)
    free = estimate(replace(asked, dtype=torch.int8)).total

    assert free < estimate(asked).total
    assert 'model.dtype int8' in remedies(asked, free)
    elsewhere = remedies(replace(asked, on_cpu=False), free)
    assert not any('int8' in changes for changes in elsewhere)


def test_the_map_is_counted_and_a_smaller_one_advised():
    asked, points = settings(), 1_000_000
    total = estimate(asked).total
    map_bytes = points * BYTES_PER_POINT

    assert check_fit(asked, total + map_bytes, 'cpu', points) == estimate(asked)
    with pytest.raises(NotEnoughMemory) as refused:
        check_fit(asked, total + map_bytes - 1, 'cpu', points)
    said = str(refused.value)
    assert f'and the map up to {named(map_bytes)}' in said
    assert f'would fit: output.map_max_points {points - 1} (' in said
    assert 'model.dtype bfloat16' in said
    with pytest.raises(NotEnoughMemory) as refused:
        check_fit(asked, total - 1, 'cpu', points)
    assert 'output.map_max_points' not in str(refused.value)


def test_a_map_too_large_for_the_host_is_refused_with_one_that_is_not():
    check_map(1000, 1000 * BYTES_PER_POINT)
    with pytest.raises(NotEnoughMemory, match=r'output.map_max_points to at most 999\b'):
        check_map(1000, 1000 * BYTES_PER_POINT - 1)


def test_where_nothing_fits_that_is_said():
    with pytest.raises(NotEnoughMemory, match='no smaller image, budget or width of numbers'):
        check_fit(settings(), 10 * MIB, 'cpu')


def test_the_search_ends_in_time_and_says_that_it_did():
    asked = settings(cache=CacheConfig(budget_tokens=65536, bits=16), image_size=504)
    free = int(0.5 * estimate(asked).total)

    assert remedies(asked, free)
    with pytest.raises(NotEnoughMemory, match='nothing that would fit was found in 0 s'):
        check_fit(asked, free, 'cpu', patience=0.0)


def test_where_the_weights_alone_are_too_much_no_other_image_is_tried(monkeypatch):
    tried = []

    def noted(asked):
        tried.append((asked.dtype, asked.image_size))
        return estimate(asked)

    monkeypatch.setattr('xstreamvggt_ros.memory.preflight.estimate', noted)
    asked = settings(image_size=504)
    weights = estimate(replace(asked, dtype=torch.bfloat16)).weights
    with pytest.raises(NotEnoughMemory, match='no smaller image'):
        check_fit(asked, weights - 1, 'cpu')

    assert set(tried) == {(torch.float32, 504), (torch.bfloat16, 504)}


def remedies(asked, free):
    """Return the changes that a refusal advises."""
    with pytest.raises(NotEnoughMemory) as refused:
        # As long as it takes: not what is tested here.
        check_fit(asked, free, 'cpu', patience=600.0)
    _, _, advised = str(refused.value).partition('would fit: ')
    return [each.rpartition(' (')[0] for each in advised.split('; ')]


def changed(asked, changes):
    """Apply changes as a user would who reads them."""
    for change in changes.split(', '):
        name, _, value = change.partition(' ')
        group, _, field = name.partition('.')
        if group == 'cache':
            # In the parameters 0 stands for what the cache calls None.
            cache = replace(asked.cache, **{field: int(value) or None})
            asked = replace(asked, cache=cache)
        else:
            given = getattr(torch, value) if field == 'dtype' else int(value)
            asked = replace(asked, **{field: given})
    return asked
