# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which runs a sweep is made of, and their settings."""

from dataclasses import replace

from bag_messages import IMAGE, image, write_bag
from layouts import pixels
import pytest
import torch

from xstreamvggt_ros.evaluation.budgets import budget_fields
from xstreamvggt_ros.evaluation.plan import configurations, plan, SequenceSpec
from xstreamvggt_ros.evaluation.run_config import RunConfig, weights_fingerprint


@pytest.mark.parametrize(
    ('word', 'budget'),
    [
        ('none', {}),
        ('2048', {'budget_tokens': 2048}),
        ('8f', {'budget_frames': 8}),
        ('1.5MiB', {'budget_mib': 1.5}),
        ('25%', {'budget_tokens': 250}),
    ],
)
def test_a_budget_is_one_word(word, budget):
    config = RunConfig().varied(budget=word)

    assert config.cache_config(frames=10, frame_tokens=100).budget == budget
    assert config.budget == word


@pytest.mark.parametrize('word', ['', '0', '-3', '12.5', '7x', 'all', '1e3', '25 %'])
def test_what_is_no_budget_is_refused_by_name(word):
    with pytest.raises(ValueError, match='budget is'):
        budget_fields(word)


@pytest.mark.parametrize(
    'wrong',
    [
        {'image_size': 100},
        {'mode': 'fast'},
        {'stride': 0},
        {'rate': 0.0},
        {'budget': 'x'},
        {'bits': 5},
        {'policy': 'luck'},
        {'mode': 'live', 'strict_budget': False},
    ],
)
def test_settings_that_mean_nothing_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=list(wrong)[-1].replace('_', '.')):
        RunConfig().varied(**wrong)


def test_a_sweep_has_every_combination_once_and_its_references():
    configs = configurations(
        RunConfig(),
        {
            'budget': ['none', '25%'],
            'bits': [16, 4],
            'scheme': ['channel_static', 'kcvt'],
            'policy': ['random', 'query_key'],
            'image_size': [112],
        },
    )

    # Unbounded: 16 bits, where nothing else matters, and 4 bits in either scheme. Bounded: two
    # policies, with 16 bits and with 4 in either scheme.
    assert len(configs) == 1 + 2 + 2 + 2 * 2
    assert [config.is_reference for config in configs] == [True] + [False] * 8


def test_settings_are_read_back_from_what_is_written_of_them():
    config = RunConfig(stride=2).varied(budget='64MiB', value_bits=8, policy='random', seed=3)

    assert RunConfig.from_settings(config.settings()) == config


def test_a_share_beside_another_budget_is_refused():
    with pytest.raises(ValueError, match='budget is 25%'):
        RunConfig(budget_share=25.0)


def test_a_reference_is_added_for_each_size_where_it_is_not_asked_for():
    axes = {'budget': ['25%'], 'image_size': [112, 224]}

    with_reference = configurations(RunConfig(), axes)

    assert sum(config.is_reference for config in with_reference) == 2
    assert not any(c.is_reference for c in configurations(RunConfig(), axes, reference=False))


def test_the_key_follows_what_decides_the_result_and_nothing_else(tmp_path):
    config = RunConfig().varied(budget='25%', bits=16)
    key = config.key('input', 'weights')

    assert config.varied(seed=3).key('input', 'weights') == key
    assert replace(config, image_size=168).key('input', 'weights') == key
    assert replace(config, checkpoint='elsewhere').key('input', 'weights') == key
    for changed in (
        config.varied(bits=4),
        config.varied(policy='snapkv'),
        config.varied(camera_cache='shared'),
        config.varied(budget='2048'),
        replace(config, max_frames=3),
        replace(config, mode='live'),
    ):
        assert changed.key('input', 'weights') != key
    assert config.key('other', 'weights') != key
    assert config.key('input', 'other') != key


@pytest.mark.parametrize(
    ('gpu', 'device', 'dtype'), [(False, 'cpu', 'float32'), (True, 'cuda', 'bfloat16')]
)
def test_auto_is_planned_as_what_it_is_here(tmp_path, monkeypatch, gpu, device, dtype):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: gpu)
    specs = [SequenceSpec('synthetic:1', options=(('frames', 2), ('height', 28), ('width', 42)))]
    named = RunConfig(device=device, dtype=dtype)

    (run,) = plan(specs, [RunConfig()], tmp_path).runs

    assert run.config == named
    assert run.folder == plan(specs, [named], tmp_path).runs[0].folder
    assert RunConfig(device='cuda:1').resolved().dtype == 'bfloat16'


@pytest.mark.parametrize('folder', ['{home}', '~'])
def test_weights_are_known_by_their_contents(tmp_path, monkeypatch, folder):
    monkeypatch.setenv('HOME', str(tmp_path))
    config = RunConfig(checkpoint=f'{folder.format(home=tmp_path)}/a.safetensors')
    file = tmp_path / 'a.safetensors'
    file.write_bytes(b'one')
    one = weights_fingerprint(config)
    file.write_bytes(b'two')

    assert weights_fingerprint(config) != one


def test_a_sequence_that_cannot_be_opened_is_named_and_the_rest_goes_on(tmp_path):
    small = (('frames', 2), ('height', 28), ('width', 42))
    specs = [
        SequenceSpec(str(tmp_path / 'nowhere')),
        SequenceSpec('synthetic:1', options=small),
        SequenceSpec('synthetic:2', options=small),
    ]

    made = plan(specs, [RunConfig()], tmp_path)

    (problem,) = made.problems
    assert 'nowhere' in problem
    assert len(made.runs) == 2
    assert len({run.folder for run in made.runs}) == 2
    assert all(run.folder.parent == tmp_path for run in made.runs)
    assert not any(run.finished for run in made.runs)


def test_topics_of_one_bag_are_different_runs(tmp_path):
    topics = ('/left/image_raw', '/right/image_raw')
    messages = [
        (topic, IMAGE, stamp, image(stamp, pixels(index), 'rgb8'))
        for index, topic in enumerate(topics)
        for stamp in (10**18, 10**18 + 10**8)
    ]
    bag = write_bag(tmp_path / 'bag', messages)
    specs = [SequenceSpec(str(bag), options=(('topic', topic),)) for topic in topics]

    left, right = plan(specs, [RunConfig()], tmp_path).runs

    assert left.sequence != right.sequence
    assert left.key != right.key
    assert left.folder != right.folder
    assert left.key == plan(specs[:1], [RunConfig()], tmp_path).runs[0].key


def test_what_an_option_changes_is_another_run(tmp_path):
    bag = write_bag(
        tmp_path / 'bag', [('/image_raw', IMAGE, 10**18, image(10**18, pixels(0), 'rgb8'))]
    )
    specs = [SequenceSpec(str(bag), options=(('tolerance_s', each),)) for each in (0.01, 0.02)]

    assert len(plan(specs, [RunConfig()], tmp_path).runs) == 2


def test_what_nobody_foresaw_in_one_input_costs_that_input(tmp_path, monkeypatch):
    from xstreamvggt_ros.evaluation import plan as module

    def unforeseen(path, *_, **__):
        raise OverflowError('too far')

    monkeypatch.setattr(module, 'open_sequence', unforeseen)
    made = plan([SequenceSpec('a'), SequenceSpec('b')], [RunConfig()], tmp_path)
    assert made.problems == ('a: OverflowError: too far', 'b: OverflowError: too far')
