# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rounding on floats, beside the package's codecs."""

import pytest
import torch

from benchmarks.methods.rounding import half_bytes, KeyRounding, rounded
from xstreamvggt_ros.cache.codecs.token import ChannelStaticCodec, TokenCodec


@pytest.mark.parametrize('bits', [2, 4, 8])
@pytest.mark.parametrize('codec', [TokenCodec, ChannelStaticCodec])
def test_numbers_are_those_that_a_packed_cache_reads(codec, bits):
    first, later = torch.randn(2, 7, 2, 8, generator=torch.Generator().manual_seed(bits))
    stored, read = codec(2, 8, bits), torch.empty(7, 2, 8)
    stored.allocate(7, torch.device('cpu'))
    for tokens in (first, 3 * later):
        stored.write(torch.arange(7), tokens)
    stored.read(read)
    own = rounded(3 * later, bits) if codec is TokenCodec else KeyRounding(first)(3 * later, bits)

    assert torch.allclose(own, read, atol=1e-6)
    taken = sum(rows[0].numel() * rows.element_size() for rows in stored.rows.tensors.values())
    assert taken == 2 * half_bytes(8, bits)
