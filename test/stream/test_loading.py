# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Devices and precisions by name."""

import pytest
import torch

from xstreamvggt_ros.stream.loading import choose_device, choose_dtype


@pytest.mark.parametrize(
    ('name', 'words'), [('abacus', 'auto, cpu'), ('cuda:99', 'torch finds'), ('meta', 'cuda:<i>')]
)
def test_a_device_that_is_not_there_is_refused_with_what_would_do(name, words):
    with pytest.raises(ValueError, match=words) as caught:
        choose_device(name)

    assert repr(name) in str(caught.value)


def test_auto_takes_bfloat16_on_cuda_only():
    assert choose_dtype('auto', torch.device('cuda')) == torch.bfloat16
    assert choose_dtype('auto', torch.device('cpu')) == torch.float32


def test_int8_is_for_cpus():
    assert choose_dtype('int8', torch.device('cpu')) == torch.int8
    with pytest.raises(ValueError, match='use bfloat16 on CUDA'):
        choose_dtype('int8', torch.device('cuda'))
