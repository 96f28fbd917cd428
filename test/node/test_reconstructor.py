# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network that the parameters ask for."""

from dataclasses import replace

import pytest
from safetensors.torch import save_model
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import (
    bundled_checkpoint,
    CheckpointError,
    load_checkpoint,
    load_random_weights,
    ModelConfig,
    StreamVGGT,
)
from xstreamvggt_ros.node.reconstructor import build_reconstructor
from xstreamvggt_ros.parameters import PARAMETERS, read_parameters


def built(**values):
    given = {name.replace('__', '.'): value for name, value in values.items()}
    defaults = {name: spec.default for name, spec in PARAMETERS.items()}
    return build_reconstructor(read_parameters({**defaults, 'model.device': 'cpu', **given}))


def test_a_checkpoint_s_weights_are_the_network_s(tmp_path):
    torch.manual_seed(1)
    model = StreamVGGT(ModelConfig.preset('tiny'))
    save_model(model, tmp_path / 'tiny.safetensors')

    loaded = built(model__checkpoint=str(tmp_path / 'tiny.safetensors')).model

    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor, rtol=0, atol=0)
    assert not loaded.training


def test_an_empty_checkpoint_is_the_bundled_one():
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_checkpoint(model, bundled_checkpoint('tiny'))

    loaded = built(model__checkpoint='').model

    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor, rtol=0, atol=0)


def test_random_weights_are_the_deterministic_ones():
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)

    loaded = built(model__checkpoint='random').model

    name = 'aggregator.camera_token'
    torch.testing.assert_close(loaded.state_dict()[name], model.state_dict()[name])


def test_a_checkpoint_that_is_no_file_is_refused_by_name():
    with pytest.raises(CheckpointError, match='nowhere.pth'):
        built(model__checkpoint='/nowhere.pth')


def test_the_cache_is_the_one_asked_for():
    asked = replace(CacheConfig.recommended(), budget_frames=3, bits=8)
    assert built(cache__budget_frames=3, cache__bits=8).config == asked


@pytest.mark.parametrize('attention', ['auto', 'sdpa', 'flash_attn'])
def test_the_attention_is_the_one_asked_for(attention):
    assert built(model__attention=attention).attention == attention


@pytest.mark.parametrize(
    ('dtype', 'attended'),
    [('float32', torch.float32), ('bfloat16', torch.bfloat16), ('int8', torch.bfloat16)],
)
def test_it_steps_in_every_precision(dtype, attended):
    reconstructor = built(model__dtype=dtype, cache__budget_tokens=300)

    frames = [reconstructor.step(torch.rand(3, 42, 56)) for _ in range(2)]

    assert reconstructor.model.dtype == attended
    assert all(torch.isfinite(frame.depth).all() for frame in frames)
