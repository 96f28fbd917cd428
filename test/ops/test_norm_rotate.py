# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0

from interpreted import rounded_casts  # noqa: F401
import pytest
import torch
from torch import nn

from xstreamvggt_ros.model.layers import Attention, Block
from xstreamvggt_ros.model.residual import Residual
from xstreamvggt_ros.model.rope import rotary_table
from xstreamvggt_ros.ops.dispatch import fused_everywhere

pytest.importorskip('triton', reason='Triton is not installed')

HEADS, DIM, BATCH, FRAMES = 3, 16, 2, 2
DEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def attention() -> Attention:
    torch.manual_seed(0)
    made = Attention(HEADS * DIM, HEADS, qk_norm=True).to(DEVICE)
    for norm in (made.q_norm, made.k_norm):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return made


@pytest.mark.parametrize('with_room', [False, True])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_the_kernel_gives_the_queries_keys_and_values_that_the_steps_do(dtype, with_room):
    from xstreamvggt_ros.ops.norm_rotate import norm_and_rotate

    part, rope = attention(), rotary_table(3, 4, 5, DIM, DEVICE)
    tokens = torch.randn(BATCH, FRAMES * len(rope.cos), HEADS * DIM, device=DEVICE)
    # With gradients the steps are taken on any device.
    part.dtype = dtype
    expected = []
    part(tokens, lambda *parts: expected.extend(parts) or parts[0], rope)
    room = torch.zeros(2, tokens.shape[:2].numel(), HEADS, DIM, dtype=dtype, device=DEVICE)

    with torch.no_grad():
        actual = norm_and_rotate(
            part.qkv(tokens),
            part.q_norm,
            part.k_norm,
            rope.cos,
            rope.sin,
            HEADS,
            dtype,
            tuple(room) if with_room else None,
        )

    tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-5
    for ours, theirs in zip(actual, expected, strict=True):
        assert ours.dtype == dtype
        torch.testing.assert_close(
            ours.float(), theirs.detach().float(), rtol=tolerance, atol=tolerance
        )
    if with_room:
        for written, ours in zip(room, actual[1:], strict=True):
            assert torch.equal(written.flatten(), ours.transpose(1, 2).flatten())


def test_a_block_s_kernels_take_no_floats_which_torch_compile_would_widen():
    block = Block(HEADS * DIM, HEADS, qk_norm=True).to('meta')
    rope = rotary_table(3, 4, 5, DIM, torch.device('cpu'))
    launches = []
    with torch.no_grad(), fused_everywhere(launches.append):
        x = torch.empty(1, len(rope.cos), HEADS * DIM, device='meta')
        block(x, lambda queries, keys, values: queries, rope)
        block.advance(Residual(x), lambda queries, keys, values: queries, rope)
    assert {launch.name for launch in launches} == {'_norm_and_rotate', '_residual_norm'}
    assert not any(isinstance(each, float) for launch in launches for each in launch.arguments)
