# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A widened network computes what the narrow one did, and what is new in it learns."""

from dataclasses import replace

import pytest
from safetensors.torch import load_file
import torch

from xstreamvggt_ros.model import bundled_checkpoint, ModelConfig, StreamVGGT
from xstreamvggt_ros.model.dense_head import DenseHead
from xstreamvggt_ros.model.rope import rotary_table
from xstreamvggt_ros.training.widening import NotWider, widened

TINY = ModelConfig.preset('tiny')
WIDE = replace(ModelConfig.preset('small'), image_size=TINY.image_size)


@pytest.fixture(scope='module')
def networks():
    """Give the bundled network and the same one wider."""
    state = {name: value.float() for name, value in load_file(bundled_checkpoint('tiny')).items()}
    narrow, wide = StreamVGGT(TINY).eval(), StreamVGGT(WIDE).eval()
    narrow.load_state_dict(state)
    wide.load_state_dict(widened(state, TINY, WIDE))
    return narrow, wide


def with_means(tokens, width):
    """Widen tokens (..., C) by channels that hold their mean."""
    mean = tokens.mean(-1, keepdim=True)
    return torch.cat([tokens, mean.expand(*tokens.shape[:-1], width - tokens.shape[-1])], -1)


def error(found, expected):
    return ((found - expected).abs().max() / expected.abs().max()).item()


@pytest.mark.parametrize('index', range(4))
@pytest.mark.parametrize('kind', ['frame_blocks', 'global_blocks'])
@torch.no_grad()
def test_blocks_compute_exactly_what_they_did(networks, kind, index):
    narrow, wide = (getattr(network.aggregator, kind)[index] for network in networks)
    generator = torch.Generator().manual_seed(index)
    tokens = torch.randn(1, 5 + 6, 128, generator=generator)
    rope = rotary_table(2, 3, 5, 64, torch.device('cpu'))
    expected = narrow(tokens, rope=rope)
    found = wide(with_means(tokens, 192), rope=rope)
    assert error(found[..., :128], expected) < 2e-5
    # And the next block finds the mean again.
    assert error(found, with_means(expected, 192)) < 2e-5


@torch.no_grad()
def test_dense_heads_compute_exactly_what_they_did(networks):
    generator = torch.Generator().manual_seed(0)
    halves = {tap: torch.randn(1, 5 + 6, 2, 128, generator=generator) for tap in range(4)}
    for half in halves.values():
        # Halves of one mean, as blocks nearly give them; else the norm over both cannot agree.
        half -= half.mean(-1, keepdim=True)
    heads = [(network.depth_head, network.point_head) for network in networks]
    for narrow, wide in zip(*heads, strict=True):
        assert isinstance(wide, DenseHead)
        expected = narrow({tap: half.flatten(2) for tap, half in halves.items()}, 28, 42)
        features = {tap: with_means(half, 192).flatten(2) for tap, half in halves.items()}
        assert error(wide(features, 28, 42), expected) < 1e-4


@torch.no_grad()
def test_the_whole_network_says_nearly_what_it_did(networks):
    narrow, wide = networks
    images = torch.rand(1, 2, 3, 56, 84, generator=torch.Generator().manual_seed(0))
    expected, found = narrow(images), wide(images)
    assert ((found.depth - expected.depth).abs() / expected.depth).mean() < 0.01
    assert error(found.pose_encodings[-1], expected.pose_encodings[-1]) < 0.02
    assert error(found.points, expected.points) < 0.02


def test_what_is_new_has_gradients(networks):
    _, wide = networks
    wide.zero_grad()
    images = torch.rand(1, 2, 3, 56, 84, generator=torch.Generator().manual_seed(0))
    said = wide(images)
    total = said.depth.log().mean() + said.points.mean() + said.pose_encodings[-1].sum()
    total.backward()
    rows = {
        # New channels as a block writes them, new heads' values, new hidden units, new maps.
        'aggregator.global_blocks.0.attn.proj.weight': (slice(128, None), slice(None)),
        'aggregator.frame_blocks.1.attn.proj.weight': (slice(None), slice(128, None)),
        'aggregator.frame_blocks.2.mlp.fc2.weight': (slice(None), slice(512, None)),
        'depth_head.scratch.output_conv1.weight': (slice(None), slice(48, None)),
        'camera_head.pose_branch.fc2.weight': (slice(None), slice(128, None)),
    }
    weights = dict(wide.named_parameters())
    for name, part in rows.items():
        assert weights[name].grad[part].abs().max() > 0, name


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'depth': 5}, 'depth is 4 in the weights and 5 in the network'),
        ({'dpt_features': 64}, r'maps of \(32, 48, 64, 64, 48\) channels cannot become'),
        ({'embed_dim': 384, 'num_heads': 3, 'patch_embed': 'dinov2_vits14_reg'}, 'head_dim is 64'),
    ],
)
def test_what_is_no_widening_is_refused(change, message):
    with pytest.raises(NotWider, match=message):
        widened({}, TINY, replace(WIDE, **change))
