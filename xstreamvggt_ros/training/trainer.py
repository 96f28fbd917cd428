# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One step of training after another, and what it takes to go on where it stopped."""

from __future__ import annotations

import contextlib
import copy
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.attention import sdpa_kernel, SDPBackend

from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.model.network import FrameCausal
from xstreamvggt_ros.training.augmentation import photometric
from xstreamvggt_ros.training.batches import draw_batch
from xstreamvggt_ros.training.causal import MaskedCausal
from xstreamvggt_ros.training.config import TrainingConfig
from xstreamvggt_ros.training.losses import camera_loss, depth_loss, points_loss
from xstreamvggt_ros.training.truth import Batch, ground_truth

COMPILED_VARIANTS = 32


class Trainer:
    """
    A network, its averaged weights, its optimiser and the number of steps done.

    Every draw of step n follows from (seed, n), so a restored trainer goes on as if it had never
    stopped.
    """

    def __init__(self, model: StreamVGGT, config: TrainingConfig) -> None:
        """Take a network with starting weights, on the device to train on."""
        self.model, self.config, self.step = model.train(), config, 0
        self.averaged = copy.deepcopy(model).eval().requires_grad_(False)
        self.device = model.aggregator.camera_token.device
        self.optimiser = torch.optim.AdamW(
            _groups(model, config.weight_decay), lr=config.lr, betas=config.betas, fused=True
        )

    def compile(self) -> None:
        """Let torch fuse each block; its graphs serve any shape but for sides of one."""
        torch._dynamo.config.recompile_limit = COMPILED_VARIANTS
        aggregator = self.model.aggregator
        for block in (*aggregator.frame_blocks, *aggregator.global_blocks):
            block.compile(dynamic=True)

    def advance(self, source) -> dict[str, float]:
        """Do one step on a batch from source; return losses, gradient norm and rate."""
        rng = np.random.default_rng([self.config.seed, self.step])
        source.advance(self.step)
        batch = draw_batch(source.pick, self.config.stage(self.step), rng, self.device)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        report = self.learn(batch, photometric(batch.images, generator), generator)
        self.step += 1
        if self.step % self.config.ema_every == 0:
            self._average()
        return report

    def learn(
        self, batch: Batch, images: Tensor, generator: torch.Generator | None = None
    ) -> dict[str, float]:
        """Change the weights by one batch, seen as images (B, S, 3, H, W)."""
        config = self.config
        rate = learning_rate(config, self.step)
        for group in self.optimiser.param_groups:
            group['lr'] = rate
        losses = self.losses(batch, images, generator)
        total = (
            config.loss.camera * losses['camera']
            + losses['depth']
            + config.loss.points * losses['points']
        )
        self.optimiser.zero_grad()
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        if torch.isfinite(norm):
            self.optimiser.step()
        report = {name: float(value.detach()) for name, value in losses.items()}
        return {**report, 'loss': float(total.detach()), 'norm': float(norm), 'lr': rate}

    def losses(
        self, batch: Batch, images: Tensor, generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Compute the three losses; the dense heads see a random share of the frames."""
        truth = ground_truth(batch)
        frames = batch.images.shape[0] * batch.images.shape[1]
        order = torch.randperm(frames, generator=generator).to(self.device)
        depth_frames = order[: math.ceil(self.config.depth_share * frames)]
        point_frames = order[: math.ceil(self.config.point_share * frames)]
        encodings, depth, points = _predict(self.model, images, depth_frames, point_frames)
        flat_depth, flat_points, flat_valid = (
            values.flatten(0, 1) for values in (truth.depth, truth.points, truth.valid)
        )
        loss = self.config.loss
        return {
            'camera': camera_loss(encodings, truth.pose_encoding, loss),
            'depth': depth_loss(depth, flat_depth[depth_frames], flat_valid[depth_frames], loss),
            'points': points_loss(
                points, flat_points[point_frames], flat_valid[point_frames], loss
            ),
        }

    def save(self, path: Path) -> None:
        """Write everything that going on needs; a crash leaves the previous file."""
        partial = path.with_suffix('.partial')
        torch.save(
            {
                'model': self.model.state_dict(),
                'averaged': self.averaged.state_dict(),
                'optimiser': self.optimiser.state_dict(),
                'step': self.step,
                'seed': self.config.seed,
            },
            partial,
        )
        partial.rename(path)

    def restore(self, path: Path) -> None:
        """Go on from a file of `save`; raises ValueError where it was made with another seed."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        if state['seed'] != self.config.seed:
            raise ValueError(
                f'{path} was trained with seed {state["seed"]}, not {self.config.seed}; '
                'give that seed'
            )
        self.model.load_state_dict(state['model'])
        self.averaged.load_state_dict(state['averaged'])
        self.optimiser.load_state_dict(state['optimiser'])
        self.step = state['step']

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averaged weights; early on faster, so that they forget the first ones."""
        count = self.step // self.config.ema_every
        weight = 1 - min(self.config.ema, (1 + count) / (10 + count))
        torch._foreach_lerp_(
            list(self.averaged.parameters()), list(self.model.parameters()), weight
        )


def learning_rate(config: TrainingConfig, step: int) -> float:
    """Rise over the warm-up, then fall along half a cosine to final_lr at the last step."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    progress = min(1.0, (step - config.warmup) / max(1, config.steps - config.warmup))
    return config.final_lr + 0.5 * (config.lr - config.final_lr) * (
        1 + math.cos(math.pi * progress)
    )


def _predict(model, images, depth_frames, point_frames):
    """Run model on (B, S, 3, H, W), its dense heads on some of the B * S frames: raw maps."""
    config, size, frames = model.config, images.shape[-2:], images.shape[1]
    taps = {config.depth - 1, *config.dpt_layers}
    if images.device.type == 'cpu':
        memory = MaskedCausal(frames, config.tokens_per_frame(*size))
    else:
        memory = FrameCausal(frames)
    with torch.autocast(images.device.type, torch.bfloat16), _attention(images.device):
        features = model.aggregator(images, memory.attend_global, True, taps)
        encodings = model.camera_head(features[config.depth - 1][:, :, 0], memory.attend_camera)
        flat = {tap: features[tap].flatten(0, 1) for tap in config.dpt_layers}
        depth, points = (
            head({tap: feature[index] for tap, feature in flat.items()}, *size).float()
            for head, index in ((model.depth_head, depth_frames), (model.point_head, point_frames))
        )
    return encodings, depth, points


def _attention(device: torch.device):
    """Choose the attention that trains fastest: on the CPU, that with a plain backward pass."""
    if device.type == 'cpu':
        return sdpa_kernel(SDPBackend.MATH)
    return contextlib.nullcontext()


def _groups(model: StreamVGGT, weight_decay: float) -> list[dict]:
    """Keep weight decay to matrices and kernels."""
    decayed, plain = [], []
    for name, parameter in model.named_parameters():
        matrix = name.endswith('weight') and parameter.ndim > 1
        (decayed if matrix else plain).append(parameter)
    return [
        {'params': decayed, 'weight_decay': weight_decay},
        {'params': plain, 'weight_decay': 0.0},
    ]
