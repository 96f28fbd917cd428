# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The figures of an image, and what measuring them asks of the host."""

from collections import Counter

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from xstreamvggt_ros.images.figures import LUMINANCE, luminance, texture

IMAGE = torch.rand(3, 40, 52, generator=torch.Generator().manual_seed(0))


class Dispatched(TorchDispatchMode):
    """Count the operators within."""

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.counts[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def test_luminance_brings_its_weights_to_a_device_once():
    expected = np.tensordot(LUMINANCE, IMAGE.double().numpy(), axes=1)
    np.testing.assert_allclose(luminance(IMAGE), expected, atol=1e-6)
    with Dispatched() as dispatched:
        luminance(IMAGE)
    assert 'lift_fresh' not in dispatched.counts


def test_figures_are_read_together():
    grey = luminance(IMAGE)
    with Dispatched() as dispatched:
        contrast, sharpness, fineness = texture(grey)
    assert dispatched.counts['_local_scalar_dense'] == 0

    values = grey.double().numpy()
    means = values.reshape(10, 4, 13, 4).mean(axis=(1, 3))

    def laplacian(of):
        around = of[:-2, 1:-1] + of[2:, 1:-1] + of[1:-1, :-2] + of[1:-1, 2:]
        return (around - 4 * of[1:-1, 1:-1]).var()

    assert contrast == pytest.approx(means.std(), rel=1e-4)
    assert sharpness == pytest.approx(laplacian(values), rel=1e-4)
    assert fineness == pytest.approx(laplacian(values) / laplacian(means), rel=1e-4)


def test_a_plain_image_has_none_of_it():
    assert texture(torch.full((40, 52), 0.5)) == (0, 0, 0)
