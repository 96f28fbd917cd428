# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights in bf16 and int8: the layers, and what they change in a network's outputs."""

import golden
import pytest
import torch
from torch import nn
from torch.nn import functional

from xstreamvggt_ros.model.model_config import DINOV2_ENCODERS
from xstreamvggt_ros.model.narrow import (
    can_pack,
    HalfLinear,
    Int8Linear,
    PackedLinear,
    replace_linears,
)
from xstreamvggt_ros.stream import StreamingReconstructor


def layer(inputs=64, outputs=48):
    torch.manual_seed(0)
    return nn.Linear(inputs, outputs)


def relative(actual, expected):
    return float((actual.detach() - expected).norm() / expected.norm())


@pytest.mark.parametrize(('kind', 'bound'), [(HalfLinear, 0.006), (Int8Linear, 0.012)])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_a_narrow_layer_gives_nearly_what_the_layer_does(kind, bound, dtype):
    x = torch.randn(2, 21, 64, generator=torch.Generator().manual_seed(1)).to(dtype)

    actual = kind(layer())(x)

    assert actual.dtype == dtype
    assert relative(actual.float(), layer()(x.float()).detach()) < bound


def test_int8_weights_lie_within_half_a_step_of_the_layer_s():
    narrow = Int8Linear(layer())

    weights = narrow.weight * narrow.scale[:, None]

    assert narrow.weight.dtype == torch.int8
    assert ((weights - layer().weight).abs() <= 0.5001 * narrow.scale[:, None]).all()


def test_a_token_s_scale_is_its_own():
    narrow = Int8Linear(layer())
    x = torch.randn(5, 64, generator=torch.Generator().manual_seed(1))
    beside_large = torch.cat([x, 1e4 * x])

    torch.testing.assert_close(narrow(beside_large)[:5], narrow(x), rtol=0, atol=0)


def test_a_row_of_zeros_gives_the_bias_and_a_number_that_is_none_is_not_hidden():
    narrow = Int8Linear(layer())
    x = torch.zeros(3, 64)
    x[1, 5], x[2, 5] = torch.nan, torch.inf

    out = narrow(x)

    torch.testing.assert_close(out[0], layer().bias)
    assert not out[1:].isfinite().any()


def test_every_linear_layer_inside_is_replaced_and_the_original_left_alone():
    inner = layer(8, 8)
    module = nn.Sequential(nn.Sequential(inner, nn.GELU()), nn.LayerNorm(8))

    replace_linears(module, Int8Linear)

    assert isinstance(module[0][0], Int8Linear)
    assert isinstance(module[1], nn.LayerNorm)
    assert inner.weight.dtype == torch.float32


@pytest.mark.parametrize(('dtype', 'share'), [(torch.bfloat16, 0.56), (torch.int8, 0.43)])
def test_a_network_s_large_weights_are_held_once_in_few_bytes(dtype, share):
    model = golden.load('full_vits4').model()
    before = sum(each.nbytes for each in model.parameters())

    after = sum(each.nbytes for each in model.set_precision(dtype).parameters())

    assert after < share * before
    assert model.dtype == torch.bfloat16


def test_one_row_is_multiplied_as_many_are():
    narrow = HalfLinear(layer())
    x = torch.randn(3, 64, generator=torch.Generator().manual_seed(1))

    torch.testing.assert_close(narrow(x[:1]), narrow(x)[:1], rtol=0.01, atol=0.001)


needs_packing = pytest.mark.skipif(not can_pack(), reason='this processor has no bf16 products')


@needs_packing
@pytest.mark.parametrize('rows', [1, 21])
def test_packed_weights_give_what_they_gave_before(rows):
    x = torch.randn(2, rows, 64, generator=torch.Generator().manual_seed(1))
    narrow = HalfLinear(layer())

    plain, activated = PackedLinear(narrow), PackedLinear(narrow, gelu=True)

    assert plain(x).dtype == torch.float32
    assert relative(plain(x), narrow(x)) < 0.004
    assert relative(activated(x).float(), functional.gelu(narrow(x))) < 0.006


@pytest.fixture
def networks():
    """Give the same bf16 network twice, in evaluation mode, and images."""
    case = golden.load('full_vits4')
    models = [case.model().eval().set_precision(torch.bfloat16) for _ in range(2)]
    return (*models, case.images)


@needs_packing
def test_a_packed_network_gives_nearly_what_it_gave_before(networks):
    plain, packed, images = networks
    packed.pack()
    with torch.inference_mode():
        before, after = (
            model(images[None, :3], point_head=False) for model in (plain, packed.pack())
        )

    config = packed.config
    blocks = DINOV2_ENCODERS[config.patch_embed].depth + 2 * config.depth
    assert sum(each.is_mkldnn for each in packed.parameters()) == 4 * blocks
    assert relative(after.depth, before.depth) < 0.01


def test_where_weights_cannot_be_packed_they_are_left_as_they_are(networks, monkeypatch):
    monkeypatch.setattr('xstreamvggt_ros.model.network.can_pack', lambda: False)
    plain, other, images = networks
    other.pack()

    with torch.inference_mode():
        before, after = (model(images[None, :2], point_head=False) for model in (plain, other))

    torch.testing.assert_close(after.depth, before.depth, rtol=0, atol=0)


@needs_packing
def test_a_stream_saved_before_packing_goes_on_behind_it(networks):
    plain, packed = (StreamingReconstructor(model) for model in (networks[0], networks[1].pack()))
    images = networks[2]
    plain.step(images[0])

    packed.load_state_dict(plain.state_dict())

    assert relative(packed.step(images[1]).depth, plain.step(images[1]).depth) < 0.01
