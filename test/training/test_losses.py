# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The losses against values worked out by hand."""

import math

import pytest
import torch

from xstreamvggt_ros.training.config import LossConfig
from xstreamvggt_ros.training.losses import camera_loss, dense_loss, depth_loss, points_loss

PLAIN = LossConfig(gradient=0.0, sky=0.0, alpha=0.0, logarithmic=False)


def test_camera_loss_weighs_later_iterations_more():
    truth = torch.zeros(1, 1, 9)
    config = LossConfig(iteration_decay=0.6, huber_delta=0.5)
    # Huber over delta: 0.25^2 / 2 / 0.5 below delta, 2 - 0.5 / 2 above.
    encodings = [torch.full((1, 1, 9), 2.0), torch.full((1, 1, 9), 0.25)]
    assert camera_loss(encodings, truth, config).item() == pytest.approx(0.6 * 1.75 + 0.0625)


def test_dense_loss_is_the_mean_weighted_error_over_valid_pixels():
    prediction = torch.tensor([[[[1.0], [2.0], [9.0]]]])
    confidence = torch.tensor([[[2.0, 3.0, 5.0]]])
    valid = torch.tensor([[[True, True, False]]])
    loss = dense_loss(prediction, torch.zeros(1, 1, 3, 1), confidence, valid, PLAIN)
    assert loss.item() == pytest.approx((2 * 1 + 3 * 2) / 2)


def test_dense_loss_adds_gradients_of_valid_pairs_alone():
    prediction = torch.tensor([[[[1.0], [4.0], [9.0]], [[1.0], [4.0], [0.0]]]])
    confidence = torch.full((1, 2, 3), 2.0)
    valid = torch.tensor([[[True, True, False], [True, True, True]]])
    config = LossConfig(gradient=1.0, sky=0.0, alpha=0.0)
    loss = dense_loss(prediction, torch.zeros(1, 2, 3, 1), confidence, valid, config)
    values, along_rows, along_columns = 1 + 4 + 1 + 4 + 0, 3 + 3 + 4, 0
    assert loss.item() == pytest.approx(2 * (values + along_rows + along_columns) / 5)


def test_confidence_is_rewarded_by_its_logarithm_and_punished_in_the_sky():
    confidence = torch.tensor([[[math.e, math.e**2]]])
    valid = torch.tensor([[[True, False]]])
    config = LossConfig(gradient=0.0, alpha=0.2, sky=0.5)
    loss = dense_loss(torch.zeros(1, 1, 2, 1), torch.zeros(1, 1, 2, 1), confidence, valid, config)
    assert loss.item() == pytest.approx(-0.2 * 1 + 0.5 * 2)


@pytest.mark.parametrize(('logarithmic', 'expected'), [(False, 4 - 1), (True, math.log(4))])
def test_depth_error_is_in_units_or_relative(logarithmic, expected):
    raw = torch.zeros(1, 2, 1, 1)
    config = LossConfig(gradient=0.0, sky=0.0, alpha=0.0, logarithmic=logarithmic)
    truth, valid = torch.full((1, 1, 1), 4.0), torch.ones(1, 1, 1, dtype=torch.bool)
    # exp(0) = 1 is predicted, with confidence 1 + exp(0) = 2.
    assert depth_loss(raw, truth, valid, config).item() == pytest.approx(2 * expected)


def test_points_error_is_the_distance():
    raw = torch.zeros(1, 4, 1, 1)
    truth, valid = torch.tensor([[[[3.0, 0.0, -4.0]]]]), torch.ones(1, 1, 1, dtype=torch.bool)
    assert points_loss(raw, truth, valid, PLAIN).item() == pytest.approx(2 * 5.0)


def test_losses_of_a_perfect_answer_are_least():
    truth = 1 + torch.rand(2, 4, 6, generator=torch.Generator().manual_seed(0))
    valid = torch.ones_like(truth, dtype=torch.bool)
    raw = torch.stack([truth.log(), torch.zeros_like(truth)], dim=1)
    config = LossConfig(alpha=0.0)
    assert depth_loss(raw, truth, valid, config).item() == pytest.approx(0.0, abs=1e-6)
    assert depth_loss(raw + 0.1, truth, valid, config).item() > 0.1


def test_sequence_without_a_valid_pixel_gives_a_finite_loss():
    raw = torch.zeros(1, 2, 3, 3)
    valid = torch.zeros(1, 3, 3, dtype=torch.bool)
    assert torch.isfinite(depth_loss(raw, torch.zeros(1, 3, 3), valid, LossConfig()))
