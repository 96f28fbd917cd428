# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0

import pytest
import torch
from torch import nn

from xstreamvggt_ros.model.layers import Attention
from xstreamvggt_ros.model.rope import rotary_table

HEADS, DIM, BATCH, FRAMES = 3, 16, 2, 2


@pytest.fixture(scope='module')
def norm_and_rotate():
    """Return the kernel: on the GPU where there is one, else in Triton's interpreter."""
    pytest.importorskip('triton', reason='Triton is not installed')
    with pytest.MonkeyPatch.context() as patch:
        if not torch.cuda.is_available():
            # Read when the kernel is defined.
            patch.setenv('TRITON_INTERPRET', '1')
        from xstreamvggt_ros.ops.norm_rotate import norm_and_rotate

        yield norm_and_rotate


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_the_kernel_gives_the_queries_keys_and_values_that_the_steps_do(norm_and_rotate, dtype):
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    torch.manual_seed(0)
    attention = Attention(HEADS * DIM, HEADS, qk_norm=True).to(device)
    for norm in (attention.q_norm, attention.k_norm):
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    rope = rotary_table(3, 4, 5, DIM, device)
    tokens = torch.randn(BATCH, FRAMES * len(rope.cos), HEADS * DIM, device=device)
    # With gradients the steps are taken on any device.
    attention.dtype = dtype
    expected = []
    attention(tokens, lambda *parts: expected.extend(parts) or parts[0], rope)

    with torch.no_grad():
        actual = norm_and_rotate(
            attention.qkv(tokens),
            attention.q_norm,
            attention.k_norm,
            rope.cos,
            rope.sin,
            HEADS,
            dtype,
        )

    tolerance = 2e-2 if dtype == torch.bfloat16 else 1e-5
    for ours, theirs in zip(actual, expected, strict=True):
        assert ours.dtype == dtype
        torch.testing.assert_close(
            ours.float(), theirs.detach().float(), rtol=tolerance, atol=tolerance
        )
