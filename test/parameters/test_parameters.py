# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of parameters and the configuration read from it."""

from pathlib import Path

import pytest
import yaml

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.parameters import PARAMETERS, read_parameters
from xstreamvggt_ros.parameters.cache import cache_values

DEFAULTS = {name: spec.default for name, spec in PARAMETERS.items()}
SHIPPED = Path(__file__).parents[2] / 'config' / 'recon.yaml'


def flat(tree, prefix=''):
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from flat(value, f'{prefix}{name}.')
        else:
            yield f'{prefix}{name}', value


def shipped():
    return dict(flat(yaml.safe_load(SHIPPED.read_text())['/**']['ros__parameters']))


def test_the_defaults_are_a_configuration_that_is_bounded_and_nothing_to_warn_of():
    parameters = read_parameters(DEFAULTS)

    assert parameters.model.preset == 'tiny'
    assert parameters.cache == CacheConfig.recommended()
    assert parameters.cache.bounded
    assert parameters.input.topics == ('image',)
    assert parameters.pipeline.image_size == 168
    assert not parameters.random_weights
    assert parameters.warnings() == []


def test_random_weights_are_warned_of():
    parameters = read_parameters({**DEFAULTS, 'model.checkpoint': 'random'})

    assert parameters.random_weights
    assert 'RANDOM WEIGHTS' in parameters.warnings()[0]


def test_the_shipped_file_gives_every_parameter_the_value_that_it_has_without_it():
    values = shipped()

    assert values == DEFAULTS
    assert {name: type(value) for name, value in values.items()} == {
        name: type(spec.default) for name, spec in PARAMETERS.items()
    }


def test_the_shipped_file_explains_every_line():
    lines = SHIPPED.read_text().splitlines()
    set_here = [line for line in lines if not line.startswith('#') and not line.endswith(':')]

    assert [line for line in set_here if '  # ' not in line] == []


@pytest.mark.parametrize('name', PARAMETERS)
def test_every_parameter_is_described_and_its_default_allowed(name):
    spec = PARAMETERS[name]

    assert spec.description.endswith('.')
    spec.check(spec.default)


@pytest.mark.parametrize(
    ('name', 'value', 'fix'),
    [
        ('model.preset', 'huge', 'streamvggt, tiny|tiny, streamvggt'),
        ('model.dtype', 'float16', 'bfloat16'),
        ('model.image_size', 225, 'multiple of 14'),
        ('model.image_size', -14, '0 to 2044'),
        ('cache.bits', 3, '2, 4, 8, 16'),
        ('cache.policy', 'lru', 'query_key'),
        ('cache.budget_tokens', -2, '-1 to'),
        ('cache.budget', '2048', 'none'),
        ('input.queue', 'all', 'newest, every'),
        ('input.queue_size', 0, '1 to'),
        ('output.scale', 0.0, '1e-06 to'),
        ('output.scale', float('nan'), '1e-06 to'),
        ('output.confidence_percentile', 101.0, '0 to 100'),
        ('output.world_axes', 'enu', 'rep103'),
    ],
)
def test_a_value_out_of_range_is_refused_by_name_with_what_would_do(name, value, fix):
    with pytest.raises(ValueError, match=fix) as caught:
        read_parameters({**DEFAULTS, name: value})

    assert name in str(caught.value)
    assert str(value) in str(caught.value)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        (
            {'cache.budget_tokens': 500, 'cache.budget_frames': 3},
            'cache.budget_tokens to 0 as well',
        ),
        ({'cache.budget_mib': 50, 'cache.budget_frames': 3}, 'at most one budget'),
        ({'cache.budget_mib': 50, 'cache.budget_tokens': -1}, 'cache.budget_tokens is -1'),
        ({'cache.budget_mib': 50, 'cache.budget': 'none'}, 'cache.budget is none'),
        ({'model.preset': 'streamvggt'}, 'model.checkpoint'),
        ({'input.image_topics': []}, 'at least one'),
        ({'input.max_rate': 1e-320}, 'input.max_rate is 9.99989e-321; use 0 for all, or 0.001'),
        ({'input.image_topics': ['/a/x', '/b/x'], 'output.camera_frame': 'c'}, 'a, b need a'),
        ({'input.image_topics': ['no topic!']}, 'no topic!'),
        ({'output.map_frame': ''}, 'output.map_frame'),
        ({'output.map_frame': 'x', 'output.camera_frame': 'x'}, 'output.map_frame'),
        ({'output.tf_mode': 'odom', 'output.base_frame': ''}, "output.base_frame ''"),
        ({'output.tf_mode': 'odom', 'output.odom_frame': 'map'}, 'three different names'),
        ({'output.scale_source': 'odometry', 'output.base_frame': 'odom'}, 'three different'),
    ],
)
def test_values_that_do_not_fit_together_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        read_parameters({**DEFAULTS, **changes})


@pytest.mark.parametrize(
    ('tf_mode', 'warned'), [('camera', True), ('odom', False), ('off', False)]
)
def test_a_mounted_camera_that_is_broadcast_as_well_is_warned_of(tf_mode, warned):
    parameters = read_parameters(
        {**DEFAULTS, 'output.scale_source': 'odometry', 'output.tf_mode': tf_mode}
    )

    assert any('output.tf_mode' in warning for warning in parameters.warnings()) == warned


@pytest.mark.parametrize(
    ('given', 'budget'),
    [
        ({'budget_tokens': 500}, {'budget_tokens': 500}),
        ({'budget_mib': 50}, {'budget_mib': 50}),
        ({'budget_frames': 7}, {'budget_frames': 7}),
        # The one that ships gives way to another, and holds where none is given.
        ({'budget_tokens': 500, 'budget_frames': 0}, {'budget_tokens': 500}),
        ({'budget_frames': 0}, CacheConfig.recommended().budget),
        ({'budget': 'none'}, {}),
        ({'budget_frames': -1}, {}),
        ({'budget_tokens': -1}, {}),
        ({'budget_mib': -1, 'budget_frames': 0}, {}),
    ],
)
def test_a_budget_is_the_one_that_is_given_and_none_only_where_that_is_said(given, budget):
    values = {f'cache.{name}': value for name, value in given.items()}
    parameters = read_parameters({**DEFAULTS, **values})

    assert parameters.cache.budget == budget
    assert any('no budget' in warning for warning in parameters.warnings()) == (not budget)


@pytest.mark.parametrize(
    'config',
    [
        CacheConfig.recommended(),
        CacheConfig(),
        CacheConfig(budget_mib=64.0, value_bits=8, seed=5, scheme='kcvt', policy='random'),
        CacheConfig(budget_tokens=300, pool_size=4, camera_budget_frames=3, bits=2),
    ],
)
def test_every_setting_of_the_cache_goes_through_the_parameters(config):
    values = cache_values(config)

    assert values.keys() == {name for name in PARAMETERS if name.startswith('cache.')}
    assert read_parameters({**DEFAULTS, **values}).cache == config


def test_an_image_size_replaces_the_preset_s():
    assert read_parameters({**DEFAULTS, 'model.image_size': 112}).pipeline.image_size == 112


@pytest.mark.parametrize('group', ['model', 'cache'])
def test_what_the_network_is_built_from_is_locked(group):
    specs = [spec for name, spec in PARAMETERS.items() if name.startswith(group)]

    assert specs
    assert not any(spec.live for spec in specs)
