# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One step of training after another, and what it takes to go on where it stopped."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import asdict
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
from xstreamvggt_ros.training.guidance import (
    find_matches,
    Matches,
    matching_loss,
    ReadOuts,
    Watched,
)
from xstreamvggt_ros.training.losses import camera_loss, depth_loss, points_loss
from xstreamvggt_ros.training.truth import Batch, ground_truth, Truth

COMPILED_VARIANTS = 32


class Trainer:
    """
    A network, its averaged weights, its optimiser and the number of steps done.

    Every draw of step n follows from (seed, n), so a restored trainer goes on as if it had never
    stopped, unless its sequences come from a folder that another process is filling.
    """

    def __init__(self, model: StreamVGGT, config: TrainingConfig) -> None:
        """Take a network with starting weights, on the device to train on."""
        self.model, self.config, self.step = model.train(), config, 0
        self.averaged = copy.deepcopy(model).eval().requires_grad_(False)
        self.device = model.aggregator.camera_token.device
        self.read_outs = ReadOuts(model.config).to(self.device)
        self.optimisers = _optimisers(model, self.read_outs, config)

    def compile(self) -> None:
        """Let torch fuse each block; its graphs serve any shape but for sides of one."""
        torch._dynamo.config.recompile_limit = COMPILED_VARIANTS
        aggregator = self.model.aggregator
        for block in (*aggregator.frame_blocks, *aggregator.global_blocks):
            block.compile(dynamic=True)
        # What a guided block notes is lost on a compiler.
        for pair in self.config.loss.guided_blocks:
            aggregator.global_blocks[pair]._compiled_call_impl = None

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
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group['lr'] = rate
        losses = self.losses(batch, images, generator)
        weights = config.loss.weights()
        total = torch.stack([weights[name] * value for name, value in losses.items()]).sum()
        for optimiser in self.optimisers:
            optimiser.zero_grad()
        total.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.clip)
        if torch.isfinite(norm):
            for optimiser in self.optimisers:
                optimiser.step()
        report = {name: float(value.detach()) for name, value in losses.items()}
        return {**report, 'loss': float(total.detach()), 'norm': float(norm), 'lr': rate}

    def losses(
        self, batch: Batch, images: Tensor, generator: torch.Generator | None = None
    ) -> dict[str, Tensor]:
        """Compute the losses of the present stage."""
        truth = ground_truth(batch)
        pairs = self.config.stage(self.step).pairs or self.model.config.depth
        memory = Watched(_memory(self.model, images), self.config.loss.guided_blocks)
        with torch.autocast(images.device.type, torch.bfloat16), _attention(images.device):
            features = self.model.aggregator(images, memory.attend_global, True, set(range(pairs)))
            losses = self._guidance(features, memory, truth, find_matches(batch))
            if pairs == self.model.config.depth:
                losses |= self._heads(features, memory, truth, generator)
        return losses

    def _guidance(self, features, memory: Watched, truth: Truth, matches: Matches):
        delta = self.config.loss.huber_delta
        poses, patches = self.read_outs.loss(features, truth, matches, delta)
        losses = {'poses': poses, 'patches': patches}
        matching = [matching_loss(*noted, matches, self.model.config) for noted in memory.noted]
        if matching:
            losses['matching'] = torch.stack(matching).mean()
        return losses

    def _heads(self, features, memory: Watched, truth: Truth, generator) -> dict[str, Tensor]:
        """Compute what the heads lose; the dense ones see a random share of the frames."""
        model, loss = self.model, self.config.loss
        count, size = truth.depth.shape[0] * truth.depth.shape[1], truth.depth.shape[-2:]
        order = torch.randperm(count, generator=generator).to(self.device)
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

    def save(self, path: Path) -> None:
        """Write everything that going on needs; a crash leaves the previous file."""
        partial = path.with_suffix('.partial')
        torch.save(
            {
                'model': self.model.state_dict(),
                'averaged': self.averaged.state_dict(),
                'read_outs': self.read_outs.state_dict(),
                'optimisers': [optimiser.state_dict() for optimiser in self.optimisers],
                'step': self.step,
                'seed': self.config.seed,
                'settings': self._settings(),
            },
            partial,
        )
        partial.rename(path)

    def restore(self, path: Path) -> None:
        """
        Go on from a file of `save`.

        Raises ValueError where that was made with other settings; `steps` alone may be others.
        """
        state = torch.load(path, map_location=self.device, weights_only=True)
        # Older files say nothing but the seed.
        self._check(path, state.get('settings', {'seed': state['seed']}))
        self.model.load_state_dict(state['model'])
        self.averaged.load_state_dict(state['averaged'])
        self.read_outs.load_state_dict(state['read_outs'])
        for optimiser, kept in zip(self.optimisers, state['optimisers'], strict=True):
            optimiser.load_state_dict(kept)
        self.step = state['step']

    def _settings(self) -> dict:
        return asdict(self.config) | asdict(self.model.config)

    def _check(self, path: Path, kept: dict) -> None:
        settings = self._settings()
        others = [
            f'{name} {kept[name]}, not {settings[name]}'
            for name in kept.keys() & settings.keys() - {'steps'}
            if kept[name] != settings[name]
        ]
        if others:
            raise ValueError(
                f'{path} was trained with {"; ".join(sorted(others))}; resume with the same '
                'settings or start another run'
            )

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


def _memory(model, images):
    frames = images.shape[1]
    if images.device.type == 'cpu':
        return MaskedCausal(frames, model.config.tokens_per_frame(*images.shape[-2:]))
    return FrameCausal(frames)


def _attention(device: torch.device):
    """Choose the attention that trains fastest: on the CPU, that with a plain backward pass."""
    if device.type == 'cpu':
        return sdpa_kernel(SDPBackend.MATH)
    return contextlib.nullcontext()


def _optimisers(model, read_outs, config: TrainingConfig) -> list[torch.optim.Optimizer]:
    """Give the blocks' matrices to Muon where it is asked for, everything else to AdamW."""
    matrices, decayed, plain = [], [], list(read_outs.parameters())
    for name, parameter in model.named_parameters():
        if config.muon and parameter.ndim == 2 and 'blocks.' in name:
            matrices.append(parameter)
        elif name.endswith('weight') and parameter.ndim > 1:
            decayed.append(parameter)
        else:
            plain.append(parameter)
    groups = [
        {'params': decayed, 'weight_decay': config.weight_decay},
        {'params': plain, 'weight_decay': 0.0},
    ]
    optimisers = [torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, fused=True)]
    if matrices:
        optimisers.append(
            torch.optim.Muon(
                matrices,
                lr=config.lr,
                weight_decay=config.weight_decay,
                adjust_lr_fn='match_rms_adamw',
            )
        )
    return optimisers
