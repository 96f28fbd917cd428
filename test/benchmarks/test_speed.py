# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The benchmark itself: that it runs, that its contenders are what they are called."""

import json

from golden import load
import numpy as np
import pytest
import torch

from benchmarks.speed.__main__ import main
from benchmarks.speed.contenders import Contender, contenders, fill
from benchmarks.speed.naive import NaiveMemory, rounded
from benchmarks.speed.peak_memory import transient_bytes
from benchmarks.speed.peaks import Peaks
from benchmarks.speed.race import race
from benchmarks.speed.rows import ratios, Row
from benchmarks.speed.waiting import seconds_a_frame
from xstreamvggt_ros.cache import CacheConfig, StreamCache
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import frame_from, stream_layout

NAMES = [
    'unbounded',
    'naive',
    'ours',
    'ours, bfloat16',
    'ours, int8',
    'ours, bfloat16, 12 frames',
]


def tiny():
    model = StreamVGGT(ModelConfig.preset('tiny')).eval().requires_grad_(False)
    load_random_weights(model)
    return model


def test_a_quick_run_writes_a_table_and_every_figure(tmp_path, capsys):
    assert main(['--quick', '--device', 'cpu', '--output', str(tmp_path)]) == 0

    (page,), (figures,) = tmp_path.glob('speed_*_tiny.md'), tmp_path.glob('speed_*_tiny.json')
    text = page.read_text()
    assert text in capsys.readouterr().out
    results = json.loads(figures.read_text())
    rows = results['presets']['tiny']
    assert {(row['frame'], row['contender']) for row in rows} == {
        (frame, name) for frame in (1, 3) for name in NAMES
    }
    assert results['environment']['commit'] is None or results['environment']['commit'] in text
    for row in rows:
        assert set(row['parts']) >= {'encoder', 'global blocks', 'cache', 'depth head'}
        assert sum(row['operations'].values()) > 1e7
        assert row['floor'] > 0
    unbounded = [row for row in rows if row['contender'] == 'unbounded']
    assert unbounded[0]['held'] < unbounded[1]['held']


@pytest.mark.parametrize('name', ['conv4', 'vits4'])
def test_the_naive_memory_gives_what_the_published_pruning_does(name, monkeypatch):
    golden = load(f'pruned_{name}')
    model = golden.model().eval()
    memory = NaiveMemory(golden.budget, model.config.special_tokens, golden.pool_size)
    # The golden file is of pruning alone.
    monkeypatch.setattr('benchmarks.speed.naive.rounded', lambda numbers, dim: numbers)
    frames = []
    for index, image in enumerate(golden.images):
        with torch.inference_mode():
            predictions = model.advance(image[None, None], memory, index == 0)
        frames.append(frame_from(predictions, *image.shape[-2:]))

    depth = torch.stack([frame.depth for frame in frames]).numpy()
    pose = torch.stack([frame.pose_encoding for frame in frames]).numpy()
    np.testing.assert_allclose(depth, golden.expected['depth'], rtol=2e-3)
    np.testing.assert_allclose(pose, golden.expected['pose_enc'], rtol=2e-3, atol=2e-3)


def test_rounding_leaves_sixteen_levels_in_each_group():
    numbers = torch.randn(1, 2, 100, 64)

    by_channel, by_token = rounded(numbers, dim=2), rounded(numbers, dim=3)

    assert by_channel.shape == by_token.shape == numbers.shape
    assert len(by_channel[0, 0, :64, 5].unique()) <= 16
    assert len(by_token[0, 1, 9].unique()) <= 16
    assert (by_token - numbers).abs().max() <= 0.51 * (numbers.max() - numbers.min()) / 15


@pytest.mark.parametrize('frames', [0, 1, 9, 500])
def test_a_filled_cache_is_in_the_state_of_its_frame(frames):
    model = tiny()
    tokens = model.config.tokens_per_frame(42, 56)
    config = CacheConfig(budget_tokens=4 * tokens, bits=4, policy='frame_diversity')
    cache = StreamCache(config, stream_layout(model, 42, 56), torch.device('cpu'))

    fill(cache, frames)

    assert cache.steps == frames
    assert cache.layers[0].held == min(4, frames) * tokens
    assert cache.camera.held == 4 * min(64, frames)
    if frames:
        assert int(cache.layers[0].slots['frame'].max()) == frames - 1
        assert int((cache.layers[0].slots['frame'] == 0).sum()) == tokens


def test_what_a_step_takes_for_the_while_is_seen():
    taken = transient_bytes(lambda: np.ones(2**24), torch.device('cpu'))

    assert 0.95 * 2**27 < taken < 1.2 * 2**27


def test_a_row_that_would_not_fit_says_so_instead(monkeypatch):
    monkeypatch.setattr('benchmarks.speed.race.free_bytes', lambda device: 2**20)
    peaks = Peaks({'float32': 1e9}, 1e9)
    unbounded = Contender('unbounded', tiny(), 'float32', CacheConfig())

    (row,) = race([unbounded], 100, torch.rand(3, 42, 56), 1, peaks, {}, False, [])

    assert 'it would take' in row.note
    assert not row.seconds


def test_a_row_that_would_take_ten_minutes_says_so_instead():
    peaks = Peaks({'float32': 1e9}, 1e9)
    unbounded = Contender('unbounded', tiny(), 'float32', CacheConfig())
    before = [Row(10, 'unbounded', 'float32', seconds=(30.0, 31.0), parts={'cache': 9.0})]

    (row,) = race([unbounded], 100, torch.rand(3, 42, 56), 5, peaks, {}, False, before)

    assert 'minutes' in row.note


def test_a_copy_in_other_bits_leaves_the_weights_of_the_first_alone():
    model = tiny()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    names = [each.name for each in contenders(model.config, model, ['bfloat16', 'int8'])]

    assert names == NAMES
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_ratios_are_of_the_same_round():
    row, baseline = (
        Row(1, 'ours', '', seconds=(1.0, 2.0, 4.0)),
        Row(1, 'unbounded', '', seconds=(2.0, 6.0, 16.0)),
    )
    assert ratios(row, baseline) == (2.5, 3.0, 3.5)


@pytest.mark.parametrize('way', ['torch imported first', 'this package first'])
def test_frames_run_beside_a_busy_process(way):
    assert 0 < seconds_a_frame(way, busy=True, frames=1) < 600
