# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""VGGT's losses (arXiv 2503.11651, section 3.3), written from the paper's equations."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from xstreamvggt_ros.model.dense_head import depth_from_raw, points_from_raw
from xstreamvggt_ros.training.config import LossConfig


def camera_loss(encodings: Sequence[Tensor], truth: Tensor, config: LossConfig) -> Tensor:
    """
    Compare the pose encodings (B, S, 9) of all iterations with the truth by a Huber loss.

    Later iterations count more; the weights' sum is not normalised.
    """
    last = len(encodings) - 1
    terms = [
        config.iteration_decay ** (last - index)
        * functional.smooth_l1_loss(encoding.float(), truth, beta=config.huber_delta)
        for index, encoding in enumerate(encodings)
    ]
    return torch.stack(terms).sum()


def dense_loss(
    prediction: Tensor, truth: Tensor, confidence: Tensor, valid: Tensor, config: LossConfig
) -> Tensor:
    """
    Weigh errors of maps (F, H, W, K) by confidence (F, H, W) where valid (F, H, W) is true.

    The mean of C |error| + C |gradient of the error| - alpha log C over the valid pixels; the
    gradients are those between neighbours that are both valid. Elsewhere log C is punished, so
    that the sky is not trusted.
    """
    error = prediction - truth
    count = valid.sum().clamp_min(1)
    fit = (confidence * error.norm(dim=-1) * valid).sum()
    for axis in (-2, -3):
        fit = fit + config.gradient * _gradient_term(error, confidence, valid, axis)
    certainty = confidence.log()
    reward = config.alpha * (certainty * valid).sum()
    sky = config.sky * (certainty * ~valid).sum() / (~valid).sum().clamp_min(1)
    return (fit - reward) / count + sky


def depth_loss(raw: Tensor, truth: Tensor, valid: Tensor, config: LossConfig) -> Tensor:
    """Score the depth head's raw maps (F, 2, H, W) against depth (F, H, W)."""
    depth, confidence = depth_from_raw(raw)
    if config.logarithmic:
        depth, truth = raw[:, 0], truth.clamp_min(1e-4).log()
    return dense_loss(depth[..., None], truth[..., None], confidence, valid, config)


def points_loss(raw: Tensor, truth: Tensor, valid: Tensor, config: LossConfig) -> Tensor:
    """Score the point head's raw maps (F, 4, H, W) against points (F, H, W, 3)."""
    points, confidence = points_from_raw(raw)
    if config.logarithmic:
        points, truth = raw[:, :3].movedim(1, -1), truth.sign() * truth.abs().log1p()
    return dense_loss(points, truth, confidence, valid, config)


def _gradient_term(error: Tensor, confidence: Tensor, valid: Tensor, axis: int) -> Tensor:
    """Sum C |e(next) - e(here)| along an axis of maps (F, H, W, K) over valid pairs."""
    size = error.shape[axis] - 1
    steps = (error.narrow(axis, 1, size) - error.narrow(axis, 0, size)).norm(dim=-1)
    pair = valid.narrow(axis + 1, 1, size) & valid.narrow(axis + 1, 0, size)
    return (confidence.narrow(axis + 1, 0, size) * steps * pair).sum()
