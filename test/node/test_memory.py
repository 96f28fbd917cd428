# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What will not fit the memory is refused before it is loaded."""

from dataclasses import replace

import pytest
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.memory.estimate import estimate, MIB, Settings
from xstreamvggt_ros.model import ModelConfig

pytestmark = pytest.mark.ros


def test_what_does_not_fit_is_refused_with_settings_that_do(rig_of):
    built = []
    rig = rig_of(
        {'model.device': 'cpu', 'model.image_size': 504, 'cache.budget_tokens': 2048},
        build_reconstructor=built.append,
        free_bytes=lambda device: 120 * MIB,
    )

    assert not rig.change('configure')
    assert rig.state() == 'unconfigured'
    rig.wait_for_log('cannot configure: cpu has 120 MiB of memory free')
    (said,) = [line for line in rig.log() if 'cannot configure' in line]
    for part in ('504x378', 'weights', 'cache', 'activations', 'would fit', 'model.image_size'):
        assert part in said
    assert built == []


def test_it_can_be_configured_with_what_was_advised(rig_of):
    free = [120 * MIB]
    rig = rig_of({'model.device': 'cpu', 'model.image_size': 504}, free_bytes=lambda _: free[0])
    assert not rig.change('configure')
    rig.wait_for_log('would fit')
    (said,) = [line for line in rig.log() if 'would fit' in line]
    advised = said.rpartition('model.image_size ')[2].split()[0]

    assert rig.set('model.image_size', int(advised)).successful
    assert rig.change('configure'), rig.log()
    rig.wait_for_log('memory estimated: about')


def test_square_images_that_would_not_fit_are_a_warning(rig_of):
    usual = Settings(
        ModelConfig.preset('tiny'),
        CacheConfig.recommended().with_budget(budget_tokens=2048),
        504,
        torch.float32,
        True,
    )
    square = estimate(replace(usual, aspect=1.0)).total
    rig = rig_of(
        {'model.device': 'cpu', 'model.image_size': 504, 'output.map_max_points': 0},
        free_bytes=lambda device: square - 1,
    )

    assert rig.change('configure'), rig.log()
    rig.wait_for_log('images as tall as wide would not fit')


SMALL = {'model.device': 'cpu', 'model.image_size': 504}


def test_what_does_not_fit_is_tried_all_the_same_where_that_is_asked_for(rig_of):
    rig = rig_of({**SMALL, 'model.memory_check': 'warn'}, free_bytes=lambda device: 120 * MIB)

    assert rig.change('configure', 'activate'), rig.log()
    rig.wait_for_log('cpu has 120 MiB of memory free')
    rig.wait_for_log('tried all the same, since model.memory_check is warn')


def test_nothing_is_estimated_where_the_check_is_off(rig_of):
    asked = []
    rig = rig_of({**SMALL, 'model.memory_check': 'off'}, free_bytes=asked.append)

    assert rig.change('configure'), rig.log()
    rig.wait_for_log('is ready after')
    assert not asked
    assert not any('memory' in line for line in rig.log())


def test_a_refusal_names_the_way_round_it(rig_of):
    rig = rig_of(SMALL, free_bytes=lambda device: 120 * MIB)

    assert not rig.change('configure')
    rig.wait_for_log('model.memory_check warn')


def test_the_map_is_counted_beside_the_network(rig_of):
    rig = rig_of(
        {'model.device': 'cpu', 'output.map_max_points': 100_000_000},
        free_bytes=lambda device: 4096 * MIB,
    )

    assert not rig.change('configure')
    rig.wait_for_log('and the map up to 4.47 GiB')
    rig.wait_for_log('output.map_max_points')


def test_growth_without_a_budget_is_said(rig_of):
    rig = rig_of({'cache.budget_tokens': -1})

    assert rig.change('configure'), rig.log()
    rig.wait_for_log('more with every image, since the cache has no budget')


@pytest.mark.ros
def test_a_larger_map_or_queue_set_while_active_is_refused_where_it_does_not_fit(active):
    rig = active(free_bytes=lambda device: 2**30)

    refused = rig.set('output.map_max_points', 100_000_000)
    assert not refused.successful
    assert 'lower output.map_max_points to at most' in refused.reason
    refused = rig.set('input.queue_mib', 100_000)
    assert not refused.successful and 'input.queue_mib' in refused.reason
    assert rig.set('output.map_max_points', 600_000).successful
    assert rig.set('input.queue_mib', 1100).successful
