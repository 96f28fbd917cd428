# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What training makes small: the losses of a batch."""

from __future__ import annotations

import contextlib
import math

import torch
from torch import Tensor
from torch.nn.attention import sdpa_kernel, SDPBackend

from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.training.causal import MaskedCausal
from xstreamvggt_ros.training.config import Stage, TrainingConfig
from xstreamvggt_ros.training.guidance import (
    find_matches,
    Matches,
    matching_loss,
    ReadOuts,
    Watched,
)
from xstreamvggt_ros.training.losses import camera_loss, depth_loss, points_loss
from xstreamvggt_ros.training.truth import Batch, ground_truth, Truth


class Objective:
    """The losses of a network and its read-outs, computed without a question to the device."""

    def __init__(
        self,
        model: StreamVGGT,
        read_outs: ReadOuts,
        config: TrainingConfig,
        fused: bool | None = None,
    ) -> None:
        """Take what is trained. fused: attend as on a GPU; None: as is fastest on the device."""
        self.model, self.read_outs, self.config = model, read_outs, config
        on_cpu = model.aggregator.camera_token.device.type == 'cpu'
        self._fused = not on_cpu if fused is None else fused

    def losses(
        self, batch: Batch, images: Tensor, order: Tensor, stage: Stage
    ) -> dict[str, Tensor]:
        """
        Compute the losses of a stage on a batch, seen as images (B, S, 3, H, W).

        order (B * S,): its frames shuffled; the dense heads are trained on the first ones.
        """
        truth = ground_truth(batch)
        model, device = self.model, images.device
        pairs = stage.pairs or model.config.depth
        tokens = model.config.tokens_per_frame(*images.shape[-2:])
        memory = MaskedCausal(images.shape[1], tokens, device, self._fused)
        memory = Watched(memory, self.config.loss.guided_blocks)
        with self._precision(device):
            features = model.aggregator(images, memory.attend_global, True, set(range(pairs)))
            losses = self._guidance(features, memory, truth, find_matches(batch))
            if pairs == model.config.depth:
                losses |= self._heads(features, memory, truth, order)
        return losses

    def total(self, losses: dict[str, Tensor]) -> Tensor:
        """Add up losses by their weights."""
        weights = self.config.loss.weights()
        return torch.stack([weights[name] * value for name, value in losses.items()]).sum()

    def _precision(self, device: torch.device) -> contextlib.ExitStack:
        """Multiply in bf16, and attend by what trains fastest: on a CPU plainly, else fused."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.autocast(device.type, torch.bfloat16))
            # Of the fused ones, those whose backward pass takes a mask in every version of torch.
            fused = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
            stack.enter_context(sdpa_kernel(fused if self._fused else [SDPBackend.MATH]))
            return stack.pop_all()

    def _guidance(self, features, memory: Watched, truth: Truth, matches: Matches):
        delta = self.config.loss.huber_delta
        poses, patches = self.read_outs.loss(features, truth, matches, delta)
        losses = {'poses': poses, 'patches': patches}
        matching = [matching_loss(*noted, matches, self.model.config) for noted in memory.noted]
        if matching:
            losses['matching'] = torch.stack(matching).mean()
        return losses

    def _heads(self, features, memory: Watched, truth: Truth, order: Tensor) -> dict[str, Tensor]:
        """Compute what the heads lose; the dense ones see a random share of the frames."""
        model, loss = self.model, self.config.loss
        count, size = len(order), truth.depth.shape[-2:]
        depth_frames = order[: math.ceil(self.config.depth_share * count)]
        point_frames = order[: math.ceil(self.config.point_share * count)]
        camera_tokens = features[model.config.depth - 1][:, :, 0]
        flat = {tap: features[tap].flatten(0, 1) for tap in model.config.dpt_layers}
        depth, points = (
            head({tap: feature[index] for tap, feature in flat.items()}, *size).float()
            for head, index in ((model.depth_head, depth_frames), (model.point_head, point_frames))
        )
        true_depth, true_points, valid = (
            values.flatten(0, 1) for values in (truth.depth, truth.points, truth.valid)
        )
        encodings = model.camera_head(camera_tokens, memory.attend_camera)
        return {
            'camera': camera_loss(encodings, truth.pose_encoding, loss),
            'depth': depth_loss(depth, true_depth[depth_frames], valid[depth_frames], loss),
            'points': points_loss(points, true_points[point_frames], valid[point_frames], loss),
        }
