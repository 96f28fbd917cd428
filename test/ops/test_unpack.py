# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0

from interpreted import rounded_casts  # noqa: F401
import pytest
import torch

from xstreamvggt_ros.cache.codecs.unpacking import unpack_into
from xstreamvggt_ros.ops.stored import Stored

pytest.importorskip('triton', reason='Triton is not installed')

HELD, HEADS, DIM, GROUPS = 37, 3, 64, 5
DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'


def stored(layout: str, bits: int, seed: int) -> Stored:
    """Make random slots, more of them than are held."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 256, (HELD + 9, HEADS, DIM * bits // 8), generator=generator)
    shape = (GROUPS, HEADS, DIM) if layout == 'group' else (HELD + 9, HEADS, 1)
    minimum, step = torch.randn(shape, generator=generator), torch.rand(shape, generator=generator)
    factors = torch.rand(2, HEADS, DIM, generator=generator).half().to(DEVICE)
    group = torch.randint(0, GROUPS, (HELD + 9,), generator=generator).int().to(DEVICE)
    return Stored(
        codes.to(torch.uint8).to(DEVICE),
        bits,
        minimum.half().to(DEVICE),
        step.half().to(DEVICE),
        channels=tuple(factors) if layout == 'channel' else None,
        group=group if layout == 'group' else None,
    )


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
@pytest.mark.parametrize('bits', [2, 4, 8])
@pytest.mark.parametrize('layout', ['token', 'channel', 'group'])
def test_the_kernel_unpacks_what_torch_does(layout, bits, dtype):
    from xstreamvggt_ros.ops.unpack import unpack_both

    # Keys and values are laid out apart from each other.
    parts = stored(layout, bits, seed=0), stored('token', 12 - bits if bits != 2 else 2, seed=1)
    expected = torch.empty(2, HELD, HEADS, DIM, device=DEVICE)
    for out, part in zip(expected, parts, strict=True):
        unpack_into(out, part)

    # A number that is not written stays NaN.
    actual = torch.full((2, HELD, HEADS, DIM), float('nan'), dtype=dtype, device=DEVICE)
    unpack_both(parts[0], actual[0], parts[1], actual[1])

    tolerance = 1e-2 if dtype == torch.bfloat16 else 1e-6
    torch.testing.assert_close(actual.float(), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize('layout', ['token', 'channel', 'group'])
def test_one_side_is_unpacked_by_itself(layout):
    from xstreamvggt_ros.ops.unpack import unpack_one

    part = stored(layout, 4, seed=0)
    expected = torch.empty(HELD, HEADS, DIM, device=DEVICE)
    unpack_into(expected, part)
    actual = torch.full_like(expected, float('nan'))
    unpack_one(part, actual)
    torch.testing.assert_close(actual, expected, rtol=1e-6, atol=1e-6)
