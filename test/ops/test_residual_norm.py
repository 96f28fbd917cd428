# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0

from interpreted import rounded_casts  # noqa: F401
import pytest
import torch
from torch import nn

pytest.importorskip('triton', reason='Triton is not installed')

DEVICE = torch.device('cuda' if torch.cuda.is_available() else 'cpu')


# Widths that are no power of two are those of most presets.
@pytest.mark.parametrize('width', [48, 128, 384])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_the_kernel_adds_and_normalises_as_the_steps_do(width, dtype):
    from xstreamvggt_ros.ops.residual_norm import residual_norm

    torch.manual_seed(0)
    norm = nn.LayerNorm(width, eps=1e-6).to(DEVICE).requires_grad_(False)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    # A feature's half: rows lie apart.
    x = torch.randn(2, 7, 2 * width, device=DEVICE)[..., width:]
    target = torch.zeros(2, 7, 2 * width, device=DEVICE)[..., :width]
    branch, gain = torch.randn(2, 7, width, device=DEVICE).to(dtype), torch.randn(width)
    expected = x + branch * gain.to(DEVICE)

    total, normed = residual_norm(x, branch, gain.to(DEVICE), norm, dtype, target)
    alone, _ = residual_norm(x, branch, gain.to(DEVICE), None, dtype)
    untouched, of_x = residual_norm(x, None, None, norm, torch.float32)

    assert total.data_ptr() == target.data_ptr() and untouched.data_ptr() == x.data_ptr()
    torch.testing.assert_close(total, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(alone, expected, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(of_x, norm(x), rtol=1e-5, atol=1e-5)
    # The same roundings, but for a last bit.
    bound = 2**-7 if dtype == torch.bfloat16 else 1e-5
    assert normed.dtype == dtype
    torch.testing.assert_close(normed.float(), norm(expected), rtol=bound, atol=1e-5)
