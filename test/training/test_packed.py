# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small file to go on from keeps weights as closely as fit."""

import copy

from hypothesis import given, strategies
import pytest
from shapes import SMALLEST
import torch

from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.training.guidance import ReadOuts
from xstreamvggt_ros.training.initialisation import initialise
from xstreamvggt_ros.training.packed import (
    LIMIT,
    load_packed,
    pack,
    read_notes,
    save_packed,
    unpack,
)


def the_parts(config, seed=0):
    model = StreamVGGT(config)
    initialise(model, seed)
    averaged = copy.deepcopy(model)
    with torch.no_grad():
        for weight in averaged.parameters():
            weight.add_(0.01 * torch.randn_like(weight))
    return {'model': model, 'averaged': averaged, 'read_outs': ReadOuts(config)}


def error(found, expected):
    """Return the largest error of a tensor's numbers beside its largest number."""
    pairs = zip(found.parameters(), expected.parameters(), strict=True)
    return max(((a - b).abs().max() / b.abs().max().clamp_min(0.03)).item() for a, b in pairs)


@given(
    count=strategies.integers(1, 700),
    bits=strategies.sampled_from([4, 8, 10, 12, 14, 16]),
    seed=strategies.integers(0, 2**32),
)
def test_numbers_come_back_within_half_a_level_of_their_block(count, bits, seed):
    generator = torch.Generator().manual_seed(seed)
    size = 10.0 ** torch.randint(-6, 3, (count,), generator=generator)
    values = torch.randn(count, generator=generator) * size
    tensors = pack('x', values, bits)
    assert tensors['x.codes'].nbytes <= bits / 8 * (count + 128)
    found = unpack('x', tensors, count, bits)
    padded = torch.zeros(-(-count // 128) * 128)
    padded[:count] = values
    level = padded.view(-1, 128).abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
    level = level.expand(-1, 128).flatten()[:count]
    assert ((found - values).abs() <= 0.5 * level + 1e-6 * values.abs()).all()


def test_zeros_stay_zeros():
    assert (unpack('x', pack('x', torch.zeros(130), 10), 130, 10) == 0).all()


def test_weights_and_notes_come_back(tmp_path):
    path, parts, into = tmp_path / 'last.safetensors', the_parts(SMALLEST), the_parts(SMALLEST, 1)
    save_packed(path, parts, {'step': 7, 'settings': {'sizes': [1, 2]}})
    load_packed(path, into)
    assert read_notes(path) == {'step': 7, 'settings': {'sizes': [1, 2]}}
    assert all(error(into[name], parts[name]) < 1e-3 for name in parts)
    assert list(tmp_path.iterdir()) == [path]


def test_what_does_not_fit_goes_on_from_the_averaged_weights(tmp_path):
    path, parts, into = tmp_path / 'last.safetensors', the_parts(SMALLEST), the_parts(SMALLEST, 1)
    count = sum(p.numel() for p in parts['model'].parameters())
    limit = int(count * 1.35) + 40_000
    save_packed(path, parts, {}, limit)
    assert path.stat().st_size <= limit
    load_packed(path, into)
    assert error(into['averaged'], parts['averaged']) < 0.01
    assert error(into['model'], into['averaged']) == 0
    with pytest.raises(ValueError, match='does not fit a file of 0 MiB'):
        save_packed(path, parts, {}, count // 2)


@pytest.mark.parametrize('preset', ['tiny', 'small'])
def test_the_presets_that_are_trained_fit(preset, tmp_path):
    config = ModelConfig.preset(preset)
    parts = the_parts(config)
    save_packed(tmp_path / 'last.safetensors', parts, {'settings': 'x' * 4000})
    assert (tmp_path / 'last.safetensors').stat().st_size <= LIMIT
    weights = sum(p.numel() for p in parts['model'].parameters())
    assert 2 * weights <= 24 << 20
