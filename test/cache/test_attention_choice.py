# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The kernel that attends is the fastest of those that are right; who it is stands in the log."""

import logging

from fake_cuda import FakeCuda
import pytest
import torch

from xstreamvggt_ros.cache.attention import sdpa
from xstreamvggt_ros.cache.attention_choice import AttentionChoice, fastest, kernels, Shape

SHAPE = Shape(heads=2, head_dim=16, queries=12, tokens=40)
FRAME = Shape(heads=2, head_dim=16, queries=12, tokens=12)

SHAPE_SAMPLE = SHAPE.sample(torch.float32, torch.device('cpu'))


def sample(dtype=torch.float32):
    return SHAPE.sample(dtype, torch.device('cpu'))


def refuses(*parts):
    raise RuntimeError('No available kernel. Aborting execution.')


def wrong(*parts):
    return 2 * sdpa(*parts)


def chosen(candidates, micros, dtype=torch.float32):
    """Choose where each kernel takes as long as `micros` says, in the order of the candidates."""
    times = iter(micros)
    return fastest(candidates, sample(dtype), lambda run: 1e-6 * next(times), str(SHAPE))


def test_the_fastest_is_taken_and_the_log_has_every_figure(caplog):
    caplog.set_level(logging.INFO)

    assert chosen({'slow': sdpa, 'quick': sdpa}, [92, 70]) == 'quick'

    assert '12 x 40 tokens, 2 heads of 16: quick is taken' in caplog.text
    assert 'slow 92 µs, quick 70 µs' in caplog.text


def test_what_cannot_run_or_gives_other_numbers_is_left_out_with_a_word(caplog):
    caplog.set_level(logging.INFO)

    assert chosen({'absent': refuses, 'wrong': wrong, 'right': sdpa}, [70]) == 'right'

    assert 'absent (No available kernel)' in caplog.text
    assert 'wrong (gives other numbers)' in caplog.text


def test_plain_attention_is_not_even_tried_where_another_runs():
    tried = []

    def plain(*parts):
        tried.append(parts)
        return sdpa(*parts)

    assert chosen({'plain': plain, 'slow': sdpa}, [92]) == 'slow'
    assert not tried
    assert chosen({'plain': plain, 'absent': refuses}, [92]) == 'plain'


def test_that_nothing_runs_is_an_error_that_names_all():
    with pytest.raises(ValueError, match=r'12 x 40.*absent.*also absent'):
        chosen({'absent': refuses, 'also absent': refuses}, [])


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16])
def test_torch_s_kernels_that_a_cpu_has_agree_with_plain_attention(dtype):
    """The same functions as on CUDA, but for the clock."""
    queries, keys, values = sample(dtype)
    expected = sdpa(queries.float(), keys.float(), values.float())

    for name in ('FlashAttention-2 of torch', 'plain'):
        actual = kernels()[name](queries, keys, values)
        assert actual.shape == queries.shape
        torch.testing.assert_close(actual.float(), expected, rtol=0.03, atol=0.02)
    assert chosen(kernels(), [3, 2, 1, 0], dtype) in kernels()


def test_on_a_cpu_nothing_is_timed():
    def never(run):
        raise AssertionError

    choice = AttentionChoice('auto', never)

    assert choice.kernel(torch.device('cpu'), torch.float32, SHAPE, FRAME) is sdpa
    with choice.preferred():
        pass


def test_a_package_that_is_installed_is_among_them(monkeypatch):
    """flash_attn 3 gives the logarithms of the sums as well, in some versions."""

    class Module:
        @staticmethod
        def flash_attn_func(queries, keys, values):
            parts = (part[0].transpose(0, 1) for part in (queries, keys, values))
            queries, keys, values = parts
            attended = sdpa(queries, keys.transpose(0, 1), values.transpose(0, 1))
            return attended.transpose(0, 1)[None], None

    name = 'flash_attn_interface'
    monkeypatch.setattr('importlib.util.find_spec', lambda each: each == name or None)
    monkeypatch.setattr('importlib.import_module', lambda each: {name: Module}[each])

    assert chosen({'flash_attn 3': kernels()['flash_attn 3']}, [1]) == 'flash_attn 3'
    assert 'flash_attn' not in kernels()


def test_the_race_is_run_on_the_device_that_attends(monkeypatch):
    cuda = FakeCuda().install(monkeypatch)
    # Both at once would need a GPU.
    monkeypatch.setattr(Shape, 'sample', lambda *_: SHAPE_SAMPLE)
    where = []

    def seconds(run):
        where.append(torch.cuda.current_device())
        return 1.0

    AttentionChoice('auto', seconds).kernel(torch.device('cuda', 1), torch.float32, SHAPE, FRAME)

    assert set(where) == {1}
    # What the race took is given back.
    assert cuda.emptied == 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
def test_on_cuda_what_there_is_is_timed_once_for_all_sizes(caplog):
    caplog.set_level(logging.INFO)
    choice, device = AttentionChoice(), torch.device('cuda')

    first = choice.kernel(device, torch.bfloat16, SHAPE, FRAME)
    again = choice.kernel(device, torch.bfloat16, FRAME, FRAME)

    assert again is first
    assert caplog.text.count('is taken') == 2
    with choice.preferred():
        parts = SHAPE.sample(torch.bfloat16, device)
        actual, expected = first(*parts), sdpa(*(part.float() for part in parts))
    torch.testing.assert_close(actual.float(), expected, rtol=0.03, atol=0.02)
