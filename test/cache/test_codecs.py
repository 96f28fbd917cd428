# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
import torch

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.cache.codecs import key_codec, value_codec
from xstreamvggt_ros.cache.rows import total_bytes

HEADS, DIM, FRAME = 4, 64, 40
CPU = torch.device('cpu')


def keys(seed: int, count: int = FRAME) -> torch.Tensor:
    """Make keys (N, H, D) with channel offsets and gains, as trained weights give them."""
    generator = torch.Generator().manual_seed(seed)
    constant = torch.Generator().manual_seed(99)
    gain = torch.rand(HEADS, DIM, generator=constant) + 0.5
    offset = 4 * torch.randn(HEADS, DIM, generator=constant)
    return torch.randn(count, HEADS, DIM, generator=generator) * gain + offset


def built(scheme: str, bits: int, slots: int = 120, **config):
    config = CacheConfig(scheme=scheme, bits=bits, budget_tokens=slots, **config)
    codec = key_codec(config, HEADS, DIM, torch.float32, FRAME)
    codec.allocate(slots, CPU)
    return codec


def read(codec, count: int) -> torch.Tensor:
    out = torch.empty(count, HEADS, DIM)
    codec.read(out)
    return out


@pytest.mark.parametrize('scheme', ['channel_static', 'kcvt'])
@pytest.mark.parametrize(('bits', 'bound'), [(16, 0.0), (8, 0.002), (4, 0.035), (2, 0.2)])
def test_what_is_read_is_near_what_was_written(scheme, bits, bound):
    codec = built(scheme, bits)
    for frame in range(3):
        codec.write(torch.arange(FRAME) + FRAME * frame, keys(frame))
    expected = torch.cat([keys(frame) for frame in range(3)])
    error = (read(codec, 120) - expected).norm() / expected.norm()
    assert error <= bound


@pytest.mark.parametrize('bits', [2, 4, 8])
@pytest.mark.parametrize('scheme', ['channel_static', 'kcvt'])
def test_numbers_lie_within_half_a_step(scheme, bits):
    codec = built(scheme, bits)
    codec.write(torch.arange(FRAME), keys(0))
    tensors = codec.tensors()
    step = tensors['step'].float().amax()
    step = step * tensors['gain'].float().amax() if 'gain' in tensors else step
    # Half a step, and what the fp16 minimum may lose.
    assert (read(codec, FRAME) - keys(0)).abs().max() <= 0.5 * step + 0.02


@pytest.mark.parametrize('magnitude', [1.0, 1e-2, 1e-3, 1e-4])
def test_more_bits_are_never_worse_however_small_the_numbers(magnitude):
    values = magnitude * torch.randn(FRAME, HEADS, DIM, generator=torch.Generator().manual_seed(0))
    errors = []
    for bits in (2, 4, 8):
        codec = value_codec(CacheConfig(bits=bits), HEADS, DIM, torch.float32)
        codec.allocate(FRAME, CPU)
        codec.write(torch.arange(FRAME), values)
        errors.append(float((read(codec, FRAME) - values).norm() / values.norm()))
    assert errors[0] < 0.5
    assert errors[1] < 0.3 * errors[0]
    assert errors[2] < errors[1]


@pytest.mark.parametrize('scheme', ['channel_static', 'kcvt'])
def test_a_token_reads_the_same_whatever_comes_after(scheme):
    codec = built(scheme, 4)
    codec.write(torch.arange(FRAME), keys(0))
    before = read(codec, FRAME)
    codec.write(torch.arange(FRAME) + FRAME, 100 * keys(1))
    codec.write(torch.arange(0, FRAME, 2), keys(2)[: FRAME // 2])
    after = read(codec, FRAME)
    assert torch.equal(before[1::2], after[1::2])


@pytest.mark.parametrize('scheme', ['channel_static', 'kcvt'])
def test_equal_and_extreme_numbers_survive(scheme):
    codec = built(scheme, 4)
    tokens = torch.full((FRAME, HEADS, DIM), 3.25)
    codec.write(torch.arange(FRAME), tokens)
    torch.testing.assert_close(read(codec, FRAME), tokens, rtol=2e-3, atol=2e-3)
    codec.write(torch.arange(FRAME), torch.full((FRAME, HEADS, DIM), 1e9))
    assert read(codec, FRAME).isfinite().all()


def test_the_table_of_the_papers_layout_grows_only_where_nothing_may_be_evicted_for_it():
    strict = built('kcvt', 4)
    paper = built('kcvt', 4, strict_budget=False)
    assert len(strict.tensors()['step']) == len(paper.tensors()['step']) == 2 * 2 + 1
    for frame in range(6):
        # Each frame leaves one token behind, which holds its group.
        paper.write(torch.arange(FRAME - 1) + frame, keys(frame)[1:])
    assert len(paper.tensors()['step']) == 6
    torch.testing.assert_close(read(paper, 6)[0], keys(0)[1], rtol=0, atol=1.5)


def test_the_independent_scheme_takes_at_most_285_thousandths_of_bf16():
    heads, dim, slots = 16, 64, 2048
    config = CacheConfig(budget_tokens=slots, bits=4)
    codecs = [
        key_codec(config, heads, dim, torch.float32, 1041),
        value_codec(config, heads, dim, torch.float32),
    ]
    for codec in codecs:
        codec.allocate(slots, CPU)
    slot_metadata = 8 * slots
    stored = sum(total_bytes(codec.tensors().values()) for codec in codecs) + slot_metadata
    assert stored <= 0.285 * slots * heads * dim * 2 * 2
