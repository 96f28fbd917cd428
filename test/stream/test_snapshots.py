# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream's memory as a file."""

import pytest
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
