# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream's memory as a file."""

import os

import pytest
from safetensors.torch import save_file
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.stream.snapshots import read_snapshot, save_snapshot


def test_a_stream_goes_on_from_its_file_to_the_bit(tmp_path):
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    config = CacheConfig(budget_tokens=300, bits=4)
    first, second = (StreamingReconstructor(model, config) for _ in range(2))
    images = torch.rand(4, 3, 42, 56, generator=torch.Generator().manual_seed(0))
    for image in images[:3]:
        first.step(image)

    save_snapshot(tmp_path / 'deep' / 'stream.safetensors', first)
    second.load_state_dict(read_snapshot(tmp_path / 'deep' / 'stream.safetensors'))

    assert torch.equal(first.step(images[3]).depth, second.step(images[3]).depth)


def test_a_tilde_is_the_home_whatever_the_working_directory(tmp_path, monkeypatch):
    home, elsewhere = tmp_path / 'home', tmp_path / 'elsewhere'
    home.mkdir()
    elsewhere.mkdir()
    monkeypatch.setenv('HOME', str(home))
    monkeypatch.chdir(elsewhere)
    model = StreamVGGT(ModelConfig.preset('tiny'))

    saved = save_snapshot('~/failed/stream.safetensors', StreamingReconstructor(model))

    assert saved == home / 'failed' / 'stream.safetensors'
    assert 'fingerprint' in read_snapshot('~/failed/stream.safetensors')
    assert not list(elsewhere.iterdir())


def test_what_cannot_be_read_is_refused(tmp_path):
    (tmp_path / 'text').write_text('no snapshot')
    with pytest.raises(ValueError, match='no snapshot of a stream'):
        read_snapshot(tmp_path / 'text')
    with pytest.raises(OSError):
        read_snapshot(tmp_path / 'nowhere')


def saved(tmp_path):
    """Write a small snapshot; its file and its tensors."""
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    stream = StreamingReconstructor(model, CacheConfig(budget_tokens=300, bits=4))
    stream.step(torch.rand(3, 42, 56, generator=torch.Generator().manual_seed(0)))
    file = save_snapshot(tmp_path / 'stream.safetensors', stream)
    return file, read_snapshot(file)


def test_a_pipe_is_refused_before_it_is_waited_for(tmp_path):
    pipe = tmp_path / 'pipe.safetensors'
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match='no regular file'):
        read_snapshot(pipe)


def test_a_snapshot_that_lies_is_refused_by_the_name_of_what_does(tmp_path):
    file, state = saved(tmp_path)
    scales = next(name for name, values in state.items() if values.is_floating_point())
    lies = {
        scales: torch.full_like(state[scales], float('nan')),
        'cache.steps': torch.tensor(2**62),
        'cache.layers.0.counters': -state['cache.layers.0.counters'] - 5,
    }
    for name, lie in lies.items():
        save_file({**state, name: lie}, file)
        with pytest.raises(ValueError, match=f'damaged snapshot: {name}'):
            read_snapshot(file)
