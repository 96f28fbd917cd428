# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run begins with: settings, weights, sequences and who renders them."""

from __future__ import annotations

import argparse
import contextlib
from dataclasses import dataclass, replace
import json
from pathlib import Path
import time

import numpy as np
from safetensors import safe_open
from safetensors.torch import load_file
import torch
from torch import Tensor

from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.training.batches import make_batch
from xstreamvggt_ros.training.config import quick, RECIPES, TrainingConfig
from xstreamvggt_ros.training.draws import draw
from xstreamvggt_ros.training.initialisation import (
    even_out_patches,
    initialise,
    with_positions_of,
)
from xstreamvggt_ros.training.pool import capacity, DevicePool
from xstreamvggt_ros.training.renderers import Renderers, spare_cores
from xstreamvggt_ros.training.schedule import Minutes, Schedule, Steps
from xstreamvggt_ros.training.shards import ShardFolder
from xstreamvggt_ros.training.sources import ShardSource
from xstreamvggt_ros.training.trainer import Trainer
from xstreamvggt_ros.training.widening import widened

# Shards that renderers of a run without a pool keep on the disk.
MOST_SHARDS = 400
PER_SHARD = 8
# Sequences that a pool begins with, and frames that a patch projection begins at.
LEAST = 64
SAMPLED_FRAMES = 1280


@dataclass(frozen=True)
class Run:
    """What `train` takes."""

    trainer: Trainer
    source: ShardSource | DevicePool
    renderers: Renderers | None


def last_file(run: Path, by_clock: bool) -> Path:
    """Return the file that a run goes on from."""
    return run / ('last.safetensors' if by_clock else 'last.pt')


def last_files(run: Path) -> list[Path]:
    """Return those that a folder holds: one, or none before anything was trained there."""
    return [last for last in (last_file(run, False), last_file(run, True)) if last.exists()]


def prepare(options: argparse.Namespace, stack: contextlib.ExitStack) -> Run:
    """
    Build what is trained; where that cannot be, the folder of the run is left as it is.

    ValueError and OSError say what is wrong. What has to be ended is left to the stack.
    """
    device = torch.device(options.device or ('cuda' if torch.cuda.is_available() else 'cpu'))
    last = last_file(options.run, options.minutes is not None)
    _check_folder(options, last)
    if device.type == 'cuda':
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
    config = _config(options, device)
    schedule = Minutes(options.minutes) if options.minutes is not None else Steps(config.steps)
    model = StreamVGGT(ModelConfig.preset(options.preset))
    if options.init:
        model.load_state_dict(_initial_state(options.init, model))
    if options.resume:
        # Before anything is rendered: other settings are refused.
        _trainer(model, config, schedule, options, device).check(last)
    renderers = _renderers(options, config, stack)
    source = _source(options, config, device, renderers, stack)
    if not (options.init or options.resume):
        initialise(model, config.seed)
        even_out_patches(model, _sampled_images(source, config).cpu())
    trainer = _trainer(model, config, schedule, options, device)
    if options.resume:
        trainer.restore(last)
    elif isinstance(schedule, Minutes):
        schedule.start()
    return Run(trainer, source, renderers)


def _check_folder(options: argparse.Namespace, last: Path) -> None:
    run, there = options.run, last_files(options.run)
    # Another schedule's run, too, is not to be mixed with this one's settings and scenes.
    if there and last not in there:
        meant = 'minutes' if there[0] == last_file(run, by_clock=True) else 'steps'
        raise ValueError(
            f'{run} holds {there[0].name}, of a run by {meant}, and no {last.name}: give another '
            f'--run, or go on with that one by {meant}'
        )
    if there and not options.resume:
        raise ValueError(f'{run} holds {last.name}: give --resume or another --run')
    if options.resume and not there:
        raise ValueError(f'{run} holds no {last.name}: leave out --resume')


def _config(options: argparse.Namespace, device: torch.device) -> TrainingConfig:
    config = RECIPES[options.recipe or ('gpu' if device.type == 'cuda' else 'cpu')]
    if options.quick:
        config = quick(config)
    steps = options.steps
    if options.resume and not steps:
        # A schedule that was chosen stays so.
        steps = json.loads((options.run / 'config.json').read_text())['steps']
    return replace(
        config,
        seed=options.seed,
        steps=steps or config.steps,
        lr=options.lr or config.lr,
    )


def _trainer(model, config, schedule: Schedule, options, device: torch.device) -> Trainer:
    trainer = Trainer(model.to(device), config, schedule, capture=not options.eager)
    if options.compile:
        trainer.compile()
    return trainer


def _initial_state(path: Path, model: StreamVGGT) -> dict[str, Tensor]:
    """Read weights to start from, of this network or of one to widen."""
    state = {name: value.float() for name, value in load_file(path).items()}
    with safe_open(path, 'pt') as file:
        said = (file.metadata() or {}).get('model')
    if said is not None:
        source = ModelConfig(**json.loads(said))
        target = replace(model.config, image_size=source.image_size)
        if source != target:
            state = widened(state, source, target)
    return with_positions_of(model, state)


def _renderers(options, config: TrainingConfig, stack) -> Renderers | None:
    count = options.renderers
    if count is None:
        count = 0 if options.shards else spare_cores()
    if count == 0:
        return None
    most = max(MOST_SHARDS, config.pool // PER_SHARD)
    folder = options.shards or options.run / 'shards'
    renderers = Renderers(folder, count, config.rendered, config.frames, most)
    stack.callback(renderers.stop)
    renderers.hold_out(
        options.run / 'held_out', config.held_out, config.held_out_frames, config.rendered
    )
    return renderers


def _source(options, config: TrainingConfig, device, renderers, stack) -> ShardSource | DevicePool:
    folder = ShardFolder(options.shards or options.run / 'shards')
    if not config.pool:
        while renderers is not None and not folder.shards():
            renderers.check()
            time.sleep(0.1)
        return ShardSource(folder)
    if renderers is None and not folder.shards():
        raise FileNotFoundError(f'{folder.folder} holds no shard; give --renderers')
    room = capacity(device, config.rendered, config.frames, config.pool)
    pool = DevicePool(folder, device, room, config.pool_least)
    stack.callback(pool.close)
    pool.start(renderers.check if renderers else lambda: None)
    return pool


def _sampled_images(source, config: TrainingConfig) -> Tensor:
    """Return some images (F, 3, H, W) of the first stage."""
    stage, rng = config.stages[0], np.random.default_rng(config.seed)
    count, frames = stage.shapes[0]
    found = []
    while sum(len(images) for images in found) < SAMPLED_FRAMES:
        drawn = draw(source.choose(count, rng), source.frames, frames, stage.strides, rng)
        batch = make_batch(source.gather(drawn), stage.size, drawn.zoom, drawn.mirrored > 0)
        found.append(batch.images.flatten(0, 1))
    return torch.cat(found)
