# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
from hypothesis import given
from hypothesis import strategies as st
import torch

from xstreamvggt_ros.cache.packing import pack, unpack


@given(
    st.sampled_from([2, 4, 8]),
    st.integers(1, 4),
    st.sampled_from([4, 12, 32, 64]),
    st.integers(0, 2**31),
)
def test_packed_codes_come_back_in_their_exact_size(bits, heads, dim, seed):
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, 2**bits, (3, heads, dim), generator=generator, dtype=torch.uint8)
    packed = pack(codes, bits)
    assert packed.shape == (3, heads, dim * bits // 8)
    assert torch.equal(unpack(packed, bits), codes)
