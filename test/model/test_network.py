# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest
import torch

from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT

MANIFEST = Path(__file__).parents[1] / 'data' / 'state_dict_manifest.json'


def test_the_preset_has_exactly_the_published_tensors():
    with torch.device('meta'):
        model = StreamVGGT(ModelConfig.preset('streamvggt'))
    published = {
        name: tuple(shape)
        for name, shape in json.loads(MANIFEST.read_text()).items()
        if not name.startswith('track_head.')
    }
    assert {name: tuple(value.shape) for name, value in model.state_dict().items()} == published


def test_tiny_fits_in_sixteen_mebibytes_of_halves():
    with torch.device('meta'):
        model = StreamVGGT(ModelConfig.preset('tiny'))
    assert 2 * sum(value.numel() for value in model.state_dict().values()) <= 16 * 2**20
    assert model.config.head_dim == 64


def test_a_frame_does_not_see_the_ones_after_it():
    model = StreamVGGT(ModelConfig.preset('tiny')).eval()
    load_random_weights(model)
    sequence = torch.rand(1, 3, 3, 28, 42)
    with torch.inference_mode():
        before = model(sequence)
        sequence[:, 2] = 1 - sequence[:, 2]
        after = model(sequence)
    assert torch.equal(before.depth[:, :2], after.depth[:, :2])
    assert not torch.equal(before.depth[:, 2], after.depth[:, 2])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'patch_embed': 'resnet'}, "patch_embed is 'resnet'"),
        ({'patch_embed': 'dinov2_vits14_reg'}, 'embed_dim is 1024.*384'),
        ({'depth': 0}, 'depth is 0'),
        ({'image_size': 500}, 'image_size is 500.*14'),
        ({'num_heads': 3}, 'num_heads 3'),
        ({'camera_heads': 3}, 'camera_heads is 3'),
        ({'dpt_layers': [0, 1, 2, 24]}, 'dpt_layers.*23'),
        ({'dpt_channels': [6, 8, 8, 8]}, 'multiples of 4'),
    ],
)
def test_a_shape_that_cannot_be_built_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        ModelConfig(**changes)


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="'huge'.*streamvggt, tiny"):
        ModelConfig.preset('huge')
