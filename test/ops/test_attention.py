# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention by every kernel that a CPU may choose, against torch's own in fp32."""

import pytest
import torch
from torch.nn import functional

from xstreamvggt_ros.ops import attention


@pytest.fixture(params=[False, True], ids=['no tiles', 'tiles'])
def processor(request, monkeypatch):
    """Pretend to be a processor with or without AMX."""
    monkeypatch.setattr(attention, '_has_amx', lambda: request.param)


@pytest.mark.usefixtures('processor')
@pytest.mark.parametrize('batch', [1, 2])
def test_bf16_attention_is_fp32_s_but_for_rounding(batch):
    generator = torch.Generator().manual_seed(0)
    # As the cache has them: the rows of a head are not behind each other.
    queries, keys, values = (
        torch.randn(batch, tokens, 3, 16, generator=generator).transpose(1, 2).bfloat16()
        for tokens in (7, 21, 21)
    )
    expected = functional.scaled_dot_product_attention(
        queries.float(), keys.float(), values.float()
    )

    with torch.no_grad():
        actual = attention.attend(queries, keys, values)

    assert actual.dtype == torch.bfloat16
    torch.testing.assert_close(actual.float(), expected, rtol=0.03, atol=0.02)


@pytest.mark.usefixtures('processor')
def test_gradients_pass_through_attention_in_bf16():
    queries, keys, values = (
        torch.randn(1, 2, 5, 16, dtype=torch.bfloat16, requires_grad=True) for _ in range(3)
    )

    attention.attend(queries, keys, values).sum().backward()

    assert all(part.grad.isfinite().all() for part in (queries, keys, values))
