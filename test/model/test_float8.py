# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Linear layers in 8-bit floats: their numbers, and who may run them."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from benchmarks.launches import count_launches
from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.model import load_random_weights, ModelConfig, StreamVGGT
from xstreamvggt_ros.model.float8 import FLOAT8, float8_obstacle, Float8Linear
from xstreamvggt_ros.model.narrow import HalfLinear
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.stream.loading import choose_dtype


def layer(inputs=64, outputs=48):
    torch.manual_seed(0)
    return nn.Linear(inputs, outputs)


def tokens(*shape, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1)).to(dtype)


def relative(actual, expected):
    return float((actual.detach().float() - expected.detach()).norm() / expected.norm())


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_a_layer_in_float8_gives_what_three_bits_of_mantissa_allow(dtype):
    x = tokens(2, 21, 64, dtype=dtype)

    actual = Float8Linear(layer())(x)

    assert actual.dtype == dtype
    assert 0.01 < relative(actual, layer()(x.float())) < 0.05


def test_weights_lie_within_half_a_step_of_the_layer_s():
    narrow = Float8Linear(layer())

    weights = narrow.weight.float() * narrow.scale[:, None]

    assert narrow.weight.dtype == FLOAT8
    # Half a step is a sixteenth of a number; near zero, of the smallest one.
    bound = (layer().weight.abs() / 16).clamp_min(2**-10 * narrow.scale[:, None])
    assert ((weights - layer().weight).abs() <= 1.001 * bound).all()
    assert (narrow.weight.float().abs().amax(dim=1) == 448).all()


def test_a_token_s_scale_is_its_own_and_its_outlier_spoils_no_other():
    narrow = Float8Linear(layer())
    x = tokens(5, 64)
    beside_large = torch.cat([x, 1e4 * x])

    torch.testing.assert_close(narrow(beside_large)[:5], narrow(x), rtol=0, atol=0)


def test_a_row_of_zeros_gives_the_bias_and_a_number_that_is_none_is_not_hidden():
    narrow = Float8Linear(layer())
    x = torch.zeros(3, 64)
    x[1, 5], x[2, 7] = torch.nan, torch.inf

    out = narrow(x)

    torch.testing.assert_close(out[0], layer().bias.detach().bfloat16().float(), rtol=0, atol=0)
    assert not out[1].isfinite().any()
    assert not out[2].isfinite().any()


def test_gelu_goes_with_the_rounding():
    plain, fused = Float8Linear(layer()), Float8Linear(layer())
    fused.gelu = True
    x = tokens(7, 64)

    torch.testing.assert_close(fused(x), plain(functional.gelu(x)), rtol=0, atol=0)


def test_the_mlps_are_in_float8_and_the_rest_in_bf16():
    model = StreamVGGT(ModelConfig.preset('tiny'))
    load_random_weights(model)

    block = model.set_precision(FLOAT8).aggregator.global_blocks[0]

    assert isinstance(block.mlp.fc1, Float8Linear) and not block.mlp.fc1.gelu
    assert isinstance(block.mlp.fc2, Float8Linear) and block.mlp.fc2.gelu
    assert isinstance(block.attn.qkv, HalfLinear) and isinstance(block.attn.proj, HalfLinear)
    assert model.dtype == torch.bfloat16
    stream = StreamingReconstructor(model, point_head=False)
    for _ in range(2):
        assert stream.step(torch.rand(3, 28, 42)).depth.isfinite().all()


def test_a_frame_in_float8_launches_one_kernel_more_for_each_layer():
    shape, config = (
        ModelConfig.preset('tiny'),
        CacheConfig.recommended().with_budget(budget_tokens=64),
    )

    half, narrow = (
        count_launches(shape, config, (28, 42), dtype) for dtype in (torch.bfloat16, FLOAT8)
    )

    rounded = [count for (_, name), count in narrow.items() if 'float8' in name]
    # Two layers of each block of encoder and aggregator; GELU goes with the second's.
    assert sum(rounded) == 2 * (2 + 2 * shape.depth)
    assert sum(narrow.values()) < 1.3 * sum(half.values())


def test_other_devices_refuse_it_by_name(monkeypatch):
    with pytest.raises(ValueError, match=r'float8.*compute capability 8\.9.*not a cpu.*bfloat16'):
        choose_dtype('float8', torch.device('cpu'))

    monkeypatch.setattr(torch.cuda, 'get_device_capability', lambda device: (8, 7))
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda device: 'Orin')
    with pytest.raises(ValueError, match=r'float8.*Orin has 8\.7; use bfloat16'):
        choose_dtype('float8', torch.device('cuda'))

    for capability in ((8, 9), (9, 0), (11, 0)):
        monkeypatch.setattr(
            torch.cuda, 'get_device_capability', lambda device, capability=capability: capability
        )
        assert choose_dtype('float8', torch.device('cuda')) == FLOAT8


@pytest.fixture(scope='module')
def rows_to_float8():
    """Return the kernel: on the GPU where there is one, else in Triton's interpreter."""
    pytest.importorskip('triton', reason='Triton is not installed')
    with pytest.MonkeyPatch.context() as patch:
        if not torch.cuda.is_available():
            # Read when the kernel is defined.
            patch.setenv('TRITON_INTERPRET', '1')
        from xstreamvggt_ros.ops.float8 import rows_to_float8

        yield rows_to_float8


@pytest.mark.parametrize('gelu', [False, True])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('width', [64, 96])
def test_the_kernel_rounds_as_the_steps_do(rows_to_float8, width, dtype, gelu):
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    narrow = Float8Linear(layer(width))
    narrow.gelu = gelu
    x = tokens(9, width, dtype=dtype)
    x[3], x[4, 1] = 0, torch.nan
    codes, step = narrow._rounded(x)

    actual, actual_step = rows_to_float8(x.to(device), gelu)

    torch.testing.assert_close(actual_step.cpu(), step, rtol=1e-6, atol=1e-12, equal_nan=True)
    given, expected = actual.cpu().float() * actual_step.cpu(), codes.float() * step
    # A number half way between two may go to either.
    close = (given - expected).abs() <= expected.abs() / 7 + 2**-8 * step
    sound = [row for row in range(9) if row != 4]
    assert close[sound].all()
    assert (actual.cpu().float() == codes.float())[sound].float().mean() > 0.99
    assert not given[4].isfinite().any()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
def test_the_device_multiplies_what_the_cpu_emulates():
    if float8_obstacle(torch.device('cuda')):
        pytest.skip(float8_obstacle(torch.device('cuda')))
    narrow, x = Float8Linear(layer()), tokens(33, 64)

    expected = narrow(x)

    torch.testing.assert_close(narrow.cuda()(x.cuda()).cpu(), expected, rtol=2e-2, atol=2e-2)
