# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream's memory as a file."""

import json
import os
import resource
import struct

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
    """Write a small snapshot; its file and the stream."""
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    stream = StreamingReconstructor(model, CacheConfig(budget_tokens=300, bits=4))
    stream.step(torch.rand(3, 42, 56, generator=torch.Generator().manual_seed(0)))
    file = save_snapshot(tmp_path / 'stream.safetensors', stream)
    return file, stream


def test_a_pipe_is_refused_before_it_is_waited_for(tmp_path):
    pipe = tmp_path / 'pipe.safetensors'
    os.mkfifo(pipe)
    with pytest.raises(ValueError, match='no regular file'):
        read_snapshot(pipe)


def test_a_snapshot_that_lies_is_refused_by_the_name_of_what_does(tmp_path):
    file, stream = saved(tmp_path)
    state = stream.state_dict()
    held, arrivals, evictions = state['cache.layers.0.counters'].tolist()
    for name, lie, words in (
        ('cache.layers.1.value.step', float('nan'), r'layers\.1 .*value\.step has numbers'),
        ('cache.camera.keys', float('inf'), 'camera .*keys has numbers'),
        ('cache.layers.0.key.gain', 0.0, r'layers\.0 .*gain'),
        ('cache.layers.0.key.frozen', False, r'layers\.0 .*gain'),
        ('cache.steps', 2**28 + 1, 'its steps are 268435457'),
        ('cache.steps', 2**31, 'its steps are 2147483648'),
        ('cache.steps', -1, 'its steps are -1'),
        ('cache.layers.0.counters', [-held, arrivals, evictions], r'layers\.0 .*contradict'),
        ('cache.layers.0.counters', [held, 1000, evictions], 'contradicts itself'),
        ('cache.layers.0.counters', [held, arrivals, 2**40], r'layers\.0 .*evictions'),
        ('cache.layers.0.counters', [held, arrivals, -1], r'layers\.0 .*evictions'),
        ('cache.camera.entered', 5, 'camera .*contradict'),
        ('cache.camera.frames', 0, 'camera .*contradict'),
    ):
        values = torch.tensor(lie, dtype=state[name].dtype).expand(state[name].shape).clone()
        save_file({**state, name: values}, file)
        with pytest.raises(ValueError, match=words):
            stream.load_state_dict(read_snapshot(file))


def test_a_frame_of_the_camera_that_is_still_to_come_is_refused(tmp_path):
    file, stream = saved(tmp_path)
    state = stream.state_dict()
    frames = state['cache.camera.frames'].clone()
    frames[0] = 2**40
    save_file({**state, 'cache.camera.frames': frames}, file)
    with pytest.raises(ValueError, match='contradicts itself'):
        stream.load_state_dict(read_snapshot(file))


@pytest.mark.parametrize('name', ['head.weight', 'cache.layers.0.key.codes', 'cache.head.weight'])
def test_what_is_no_stream_is_refused_before_its_gigabytes_are_read(tmp_path, name):
    file, stream = saved(tmp_path)
    bulk = 2**33
    places = {
        'fingerprint': {'dtype': 'U8', 'shape': [32], 'data_offsets': [0, 32]},
        'image_size': {'dtype': 'I64', 'shape': [2], 'data_offsets': [32, 48]},
        name: {'dtype': 'F32', 'shape': [bulk // 4], 'data_offsets': [48, 48 + bulk]},
    }
    head = json.dumps(places).encode()
    with file.open('wb') as sparse:
        sparse.write(struct.pack('<Q', len(head)) + head)
        sparse.write(bytes(stream.state_dict()['fingerprint'].tolist()))
        sparse.write(struct.pack('<qq', 42, 56))
        sparse.truncate(8 + len(head) + 48 + bulk)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(ValueError, match='head.weight.* is saved, too|is missing or not'):
        stream.load_state_dict(read_snapshot(file))

    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    assert grown < bulk / 16


def test_an_image_size_that_lies_is_refused_before_anything_is_allocated(tmp_path):
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)
    stream = StreamingReconstructor(model, CacheConfig(budget_frames=2))
    stream.step(torch.rand(3, 28, 42, generator=torch.Generator().manual_seed(0)))
    side = 14 << 16
    lie = {**stream.state_dict(), 'image_size': torch.tensor([side, side])}
    with pytest.raises(ValueError, match=r'layers\.0 of the saved stream does not fit'):
        stream.load_state_dict(lie)
