# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is used where nothing is said is the same everywhere."""

from dataclasses import replace
from pathlib import Path
import re

import pytest
import yaml

from xstreamvggt_ros.cache import CacheConfig, SETTINGS
from xstreamvggt_ros.evaluation import arguments
from xstreamvggt_ros.evaluation.plan import configurations
from xstreamvggt_ros.evaluation.run_config import RunConfig
from xstreamvggt_ros.parameters import PARAMETERS, read_parameters
from xstreamvggt_ros.parameters.cache import cache_values

ROOT = Path(__file__).parents[2]
SHIPPED = CacheConfig.recommended()
DEFAULTS = {name: spec.default for name, spec in PARAMETERS.items()}
# Of a run, by the node's parameters.
SAME = {
    'preset': 'model.preset',
    'checkpoint': 'model.checkpoint',
    'revision': 'model.revision',
    'device': 'model.device',
    'dtype': 'model.dtype',
    'attention': 'model.attention',
    'image_size': 'model.image_size',
    'camera_info': 'input.use_camera_info',
    'point_source': 'output.point_source',
    'on_failure': 'watch.on_failure',
    'queue': 'input.queue',
}


def planned(*words):
    options = arguments.parse(['run', 'synthetic:0', *words])
    return configurations(
        arguments.run_config(options), arguments.axes(options), not options.no_reference
    )


def test_what_ships_is_bounded_in_frames():
    assert list(SHIPPED.budget) == ['budget_frames']
    assert 8 <= SHIPPED.budget_frames <= 16


def test_the_bare_node_and_the_shipped_file_use_what_is_recommended():
    file = yaml.safe_load((ROOT / 'config' / 'recon.yaml').read_text())
    written = file['/**']['ros__parameters']['cache']

    assert read_parameters(DEFAULTS).cache == SHIPPED
    assert {f'cache.{name}': value for name, value in written.items()} == cache_values(SHIPPED)


def test_evaluation_scores_what_ships_against_the_unbounded_cache():
    reference, shipped = planned()

    assert shipped.cache == SHIPPED
    assert reference.is_reference
    assert reference.cache == replace(SHIPPED.with_budget(), bits=16)


def test_a_run_does_what_the_node_does_where_nothing_is_said():
    (run,) = planned('--no-reference')

    # (Of a run that is planned, the size is the preset's already.)
    assert run == RunConfig().canonical()
    assert {name: getattr(RunConfig(), name) for name in SAME} == {
        name: DEFAULTS[parameter] for name, parameter in SAME.items()
    }
    assert (run.keyframe_threshold is not None) == DEFAULTS['keyframe.enabled']


def test_the_paper_s_method_is_one_option():
    reference, paper = planned('--paper')

    assert paper.cache == CacheConfig.published()
    assert reference.is_reference
    assert not paper.cache.strict_budget

    fewer = planned('--paper', '--bits', '16', '4', '--budget', 'none', '2048')
    assert {(each.budget, each.cache.bits) for each in fewer} == {
        (budget, bits) for budget in ('none', '2048') for bits in (16, 4)
    }
    assert len(fewer) == 4


@pytest.mark.parametrize('name', [name for name in SETTINGS if not name.startswith('budget')])
def test_every_setting_of_the_cache_is_an_option_and_a_parameter(name):
    said = SETTINGS[name]
    other = next(
        value
        for value in (*said.choices, said.minimum, said.maximum, not said.default)
        if value not in (None, getattr(SHIPPED, name))
    )
    option = f'--{name.replace("_", "-")}'
    word = str(other).lower() if isinstance(other, bool) else str(other)
    # So that the setting matters.
    beside = [] if name in ('policy', 'bits') else ['--policy', 'random', '--bits', '8']
    (run,) = planned('--no-reference', *beside, option, word)

    assert getattr(run.cache, name) == other
    assert RunConfig.from_settings(run.settings()) == run
    if name != 'strict_budget':
        values = {**DEFAULTS, **cache_values(run.cache)}
        assert getattr(read_parameters(values).cache, name) == other


def test_documents_name_the_defaults_that_there_are():
    for page in ('docs/cache.md', 'docs/evaluation.md', 'docs/fidelity.md'):
        text = (ROOT / page).read_text()
        for frames in re.findall(r'as it ships,? \(?(\d+) frames', text):
            assert int(frames) == SHIPPED.budget_frames, page
    assert f'{SHIPPED.budget_frames} frames' in (ROOT / 'docs' / 'cache.md').read_text()
