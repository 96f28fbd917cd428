# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of merit against cases whose answer is known."""

import math

import pytest
from scipy.spatial.transform import Rotation
import torch

from xstreamvggt_ros.training import metrics


def a_walk(frames=20):
    rotation = torch.from_numpy(Rotation.random(frames, rng=0).as_matrix())
    generator = torch.Generator().manual_seed(0)
    places = torch.randn(frames, 3, 1, generator=generator).double().cumsum(0)
    return torch.cat([rotation, -rotation @ places], dim=-1)


def test_depth_errors_ignore_the_scale_and_the_sky():
    truth = torch.tensor([[[1.0, 2.0, 3.0, 0.0]]])
    assert metrics.depth_errors(7 * truth, truth) == (0.0, 1.0)


def test_depth_errors_are_relative_to_the_truth():
    truth = torch.tensor([[[1.0, 2.0, 4.0]]])
    abs_rel, delta = metrics.depth_errors(torch.tensor([[[1.5, 2.0, 3.6]]]), truth)
    assert abs_rel == pytest.approx((0.5 + 0 + 0.1) / 3)
    assert delta == pytest.approx(2 / 3)


def test_trajectory_error_ignores_a_similarity():
    truth = a_walk()
    turn = torch.from_numpy(Rotation.random(rng=1).as_matrix())
    moved = truth[:, :, :3] @ turn
    translation = 3 * (truth[:, :, 3] + (truth[:, :, :3] @ torch.tensor([1.0, 2, 3]).double()))
    similar = torch.cat([moved, translation[..., None]], dim=-1)
    assert metrics.trajectory_error(similar, truth) == pytest.approx(0, abs=1e-9)


def test_trajectory_error_is_a_share_of_the_path():
    truth = torch.eye(3, 4).repeat(4, 1, 1)
    truth[:, 0, 3] = -torch.tensor([0.0, 1.0, 2.0, 3.0])
    estimate = truth.clone()
    estimate[:, 1, 3] = torch.tensor([0.1, -0.1, -0.1, 0.1])
    # The best similarity shrinks along x a little; the wiggle of 0.1 m stays.
    assert metrics.trajectory_error(estimate, truth) == pytest.approx(0.1 / 3, rel=0.02)


def test_trajectory_of_a_rotation_has_no_error():
    truth = torch.eye(3, 4).repeat(5, 1, 1)
    assert metrics.trajectory_error(truth, truth) is None


def test_rotation_error_is_the_angle_against_the_first_frame():
    turned = torch.from_numpy(Rotation.from_rotvec([[0, 0, 0], [0, 0.2, 0]]).as_matrix())
    truth = torch.eye(3, 4).repeat(2, 1, 1).double()
    estimate = torch.cat([turned, torch.zeros(2, 3, 1)], dim=-1)
    expected = math.degrees(0.2)
    assert metrics.rotation_error(estimate, truth) == pytest.approx(expected, rel=1e-6)
