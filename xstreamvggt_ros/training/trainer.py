# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One step of training after another, and what it takes to go on where it stopped."""

from __future__ import annotations

import copy
from dataclasses import asdict
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn, Tensor

from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.training.config import Stage, TrainingConfig
from xstreamvggt_ros.training.draws import Draw, draw
from xstreamvggt_ros.training.guidance import ReadOuts
from xstreamvggt_ros.training.objective import Objective
from xstreamvggt_ros.training.optimisation import Optimisers
from xstreamvggt_ros.training.packed import load_packed, read_notes, save_packed
from xstreamvggt_ros.training.schedule import Minutes, Schedule, Steps
from xstreamvggt_ros.training.stepping import Captured, StepOutcome, Stepping

COMPILED_VARIANTS = 32
# Steps that the host may be ahead of the device.
AHEAD = 2
# Settings that a run may change on its way.
UNBOUND = {'steps', 'pool', 'pool_least'}


class Trainer:
    """
    A network, its averaged weights, its optimiser and the number of steps done.

    Every draw of step n follows from (seed, n), so a restored trainer goes on as if it had never
    stopped, unless its sequences come from processes that render meanwhile, its schedule from the
    clock, or its images' noise from a CUDA device. The host never waits for the device within a
    step.
    """

    def __init__(
        self,
        model: StreamVGGT,
        config: TrainingConfig,
        schedule: Schedule | None = None,
        capture: bool = True,
    ) -> None:
        """Take a network with starting weights, on the device to train on."""
        self.model, self.config, self.step = model.train(), config, 0
        self.schedule = schedule or Steps(config.steps)
        self.averaged = copy.deepcopy(model).eval().requires_grad_(False)
        self.device = model.aggregator.camera_token.device
        self.read_outs = ReadOuts(model.config).to(self.device)
        self.optimisers = Optimisers(model, self.read_outs, config)
        self.objective = Objective(model, self.read_outs, config)
        # Rates rise again over these steps once moments were lost.
        self.restarted: int | None = None
        self._capture = capture and self.device.type == 'cuda'
        self._source, self._compute, self._generator = None, None, None
        self._marks: list[torch.cuda.Event] = []

    def compile(self) -> None:
        """Let torch fuse each block; its graphs serve any shape but for sides of one."""
        torch._dynamo.config.recompile_limit = COMPILED_VARIANTS
        aggregator = self.model.aggregator
        for block in (*aggregator.frame_blocks, *aggregator.global_blocks):
            block.compile(dynamic=True)
        # What a guided block notes is lost on a compiler.
        for pair in self.config.loss.guided_blocks:
            aggregator.global_blocks[pair]._compiled_call_impl = None

    @property
    def finished(self) -> bool:
        """Whether the schedule is at its end."""
        return self.schedule.progress(self.step) >= 1

    @property
    def stage(self) -> Stage:
        """The stage of the step to come."""
        return self.config.stage(self.schedule.progress(self.step))

    def advance(self, source) -> dict[str, Tensor | float]:
        """
        Do one step on a batch from source; return losses, gradient norm and rate.

        What the device computes is returned as its tensors, which may not be there yet.
        """
        source.advance(self.step)
        stage, drawn, seed = self._draw(source)
        if source is not self._source:
            self._source, self._compute = source, self._stepping(source)
        if self._generator is not None:
            self._generator.manual_seed(seed)
        report = self.learn(self._compute(self._sent(drawn), drawn.shape, stage))
        return {**report, 'frames': math.prod(drawn.shape)}

    def learn(self, outcome: StepOutcome) -> dict[str, Tensor | float]:
        """Change the weights by losses and gradients."""
        rate = self._rate()
        norm = self.optimisers.step(outcome.gradients, rate)
        # The next replay of a graph overwrites its losses.
        values = torch.stack([*outcome.losses.values(), norm]).unbind()
        report = dict(zip([*outcome.losses, 'norm'], values, strict=True))
        self.step += 1
        if self.step % self.config.ema_every == 0:
            self._average()
        self._keep_pace()
        return {**report, 'lr': rate}

    def _draw(self, source) -> tuple[Stage, Draw, int]:
        rng = np.random.default_rng([self.config.seed, self.step])
        stage = self.stage
        count, frames = stage.shapes[rng.integers(len(stage.shapes))]
        sequences = source.choose(count, rng)
        drawn = draw(sequences, source.frames, frames, stage.strides, rng)
        return stage, drawn, int(rng.integers(2**62))

    def _stepping(self, source):
        on_cuda = self.device.type == 'cuda'
        self._generator = None if on_cuda else torch.Generator(self.device)
        stepping = Stepping(
            self.objective, self.optimisers.parameters, source.gather, self._generator
        )
        return Captured(stepping, self.model.kept_tables) if self._capture else stepping

    def _sent(self, drawn: Draw) -> Tensor:
        flat = drawn.flat()
        if self.device.type == 'cuda':
            return flat.pin_memory().to(self.device, non_blocking=True)
        return flat

    def _rate(self) -> float:
        rate = learning_rate(self.config, self.step, self.schedule)
        if self.restarted is None:
            return rate
        return rate * min(1.0, (self.step - self.restarted + 1) / self.config.warmup)

    def _keep_pace(self) -> None:
        """Let the device catch up, so that the clock's time is its time."""
        if self.device.type != 'cuda':
            return
        mark = torch.cuda.Event()
        mark.record(torch.cuda.current_stream(self.device))
        self._marks.append(mark)
        if len(self._marks) > AHEAD:
            self._marks.pop(0).synchronize()

    def save(self, path: Path) -> None:
        """
        Write what going on needs; a crash leaves the previous file.

        A .pt has everything, a .safetensors what fits a small file, see packed.
        """
        notes = {'step': self.step, 'seed': self.config.seed, 'settings': self._settings()}
        if path.suffix == '.safetensors':
            notes['spent'] = getattr(self.schedule, 'spent', 0.0)
            save_packed(path, self._parts(), notes)
            return
        partial = path.with_suffix('.partial')
        states = {name: part.state_dict() for name, part in self._parts().items()}
        torch.save({**states, 'optimisers': self.optimisers.state_dicts(), **notes}, partial)
        partial.rename(path)

    def restore(self, path: Path) -> None:
        """
        Go on from a file of `save`.

        Raises ValueError where that was made with other settings; the length of
        the schedule and of the pool may be others.
        """
        self.check(path)
        if path.suffix == '.safetensors':
            notes = read_notes(path)
            load_packed(path, self._parts())
            self.step = self.restarted = notes['step']
            if isinstance(self.schedule, Minutes):
                self.schedule.start(notes['spent'])
            return
        state = torch.load(path, map_location=self.device, weights_only=True)
        for name, part in self._parts().items():
            part.load_state_dict(state[name])
        self.optimisers.load(state['optimisers'])
        self.step = state['step']

    def check(self, path: Path) -> None:
        """Raise ValueError where a file of `save` was made with other settings."""
        if path.suffix == '.safetensors':
            kept = read_notes(path)['settings']
        else:
            state = torch.load(path, map_location='cpu', weights_only=True, mmap=True)
            # Older files say nothing but the seed.
            kept = state.get('settings', {'seed': state['seed']})
        # As JSON has them, for the one kind of file as for the other.
        kept, settings = (json.loads(json.dumps(each)) for each in (kept, self._settings()))
        others = [
            f'{name} {kept[name]}, not {settings[name]}'
            for name in kept.keys() & settings.keys() - UNBOUND
            if kept[name] != settings[name]
        ]
        if others:
            raise ValueError(
                f'{path} was trained with {"; ".join(sorted(others))}; resume with the same '
                'settings or start another run'
            )

    def _parts(self) -> dict[str, nn.Module]:
        return {'model': self.model, 'averaged': self.averaged, 'read_outs': self.read_outs}

    def _settings(self) -> dict:
        return asdict(self.config) | asdict(self.model.config)

    @torch.no_grad()
    def _average(self) -> None:
        """Move the averaged weights; early on faster, so that they forget the first ones."""
        count = self.step // self.config.ema_every
        weight = 1 - min(self.config.ema, (1 + count) / (10 + count))
        torch._foreach_lerp_(
            list(self.averaged.parameters()), list(self.model.parameters()), weight
        )


def learning_rate(config: TrainingConfig, step: int, schedule: Schedule) -> float:
    """Rise over the warm-up, then fall along half a cosine to final_lr at the end."""
    if step < config.warmup:
        return config.lr * (step + 1) / config.warmup
    progress = min(1.0, schedule.since(config.warmup, step))
    return config.final_lr + 0.5 * (config.lr - config.final_lr) * (
        1 + math.cos(math.pi * progress)
    )
