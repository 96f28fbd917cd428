# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0

import pytest
import torch

from xstreamvggt_ros.cache.codecs.unpacking import unpack_into

HELD, HEADS, DIM, GROUPS = 37, 3, 64, 5


@pytest.fixture(scope='module')
def unpack_rows():
    """Return the kernel: on the GPU where there is one, else in Triton's interpreter."""
    pytest.importorskip('triton', reason='Triton is not installed')
    with pytest.MonkeyPatch.context() as patch:
        if not torch.cuda.is_available():
            # Read when the kernel is defined.
            patch.setenv('TRITON_INTERPRET', '1')
        from xstreamvggt_ros.ops.unpack import unpack_rows

        yield unpack_rows


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('bits', [2, 4, 8])
@pytest.mark.parametrize('layout', ['token', 'channel', 'group'])
def test_the_kernel_unpacks_what_torch_does(unpack_rows, layout, bits, dtype):
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    generator = torch.Generator().manual_seed(bits)
    codes = torch.randint(0, 256, (HELD, HEADS, DIM * bits // 8), generator=generator)
    shape = (GROUPS, HEADS, DIM) if layout == 'group' else (HELD, HEADS, 1)
    minimum, step = torch.randn(shape, generator=generator), torch.rand(shape, generator=generator)
    factors = torch.rand(2, HEADS, DIM, generator=generator).half()
    group = torch.randint(0, GROUPS, (HELD,), generator=generator).int().to(device)
    arguments = [
        codes.to(torch.uint8).to(device),
        minimum.half().to(device),
        step.half().to(device),
    ]
    optional = (
        tuple(factors.to(device)) if layout == 'channel' else None,
        group if layout == 'group' else None,
    )
    expected = torch.empty(HELD, HEADS, DIM)
    unpack_into(
        expected,
        *(argument.cpu() for argument in arguments),
        bits,
        factors.unbind() if layout == 'channel' else None,
        group.cpu() if layout == 'group' else None,
    )
    # A number that is not written stays NaN.
    actual = torch.full((HELD, HEADS, DIM), float('nan'), dtype=dtype, device=device)
    unpack_rows(*arguments, bits, actual, *optional)
    tolerance = 1e-2 if dtype == torch.bfloat16 else 1e-6
    torch.testing.assert_close(actual.cpu().float(), expected, rtol=tolerance, atol=tolerance)
