# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Train a network, or go on training it.

    python -m xstreamvggt_ros.training --run .training/run --shards .training/shards
    python -m xstreamvggt_ros.training --run .training/run --shards .training/shards --resume

The folder of the run holds last.pt (to go on from), best-84x112.safetensors and its like (the
best on held-out scenes at that size), log.jsonl, curves.png and pictures.png. Without --shards
the scenes are rendered on the device of training, which is meant for a GPU.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
import json
import logging
from pathlib import Path

import numpy as np
from safetensors.torch import load_file
import torch

from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.training.batches import draw_batch
from xstreamvggt_ros.training.config import RECIPES, TrainingConfig
from xstreamvggt_ros.training.initialisation import (
    even_out_patches,
    initialise,
    with_positions_of,
)
from xstreamvggt_ros.training.loop import train
from xstreamvggt_ros.training.shards import ShardFolder
from xstreamvggt_ros.training.sources import RenderedPool, ShardSource
from xstreamvggt_ros.training.trainer import Trainer


def main() -> None:
    """Run the command line."""
    parser = _parser()
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format='%(asctime)s %(message)s')
    try:
        trainer, source = _prepare(options)
    except (ValueError, OSError) as error:
        # Their messages are written for the user.
        parser.error(str(error))
    options.run.mkdir(parents=True, exist_ok=True)
    settings = json.dumps(asdict(trainer.config), indent=2)
    (options.run / 'config.json').write_text(settings + '\n')
    train(trainer, source, options.run, options.max_minutes)


def _prepare(options: argparse.Namespace) -> tuple[Trainer, ShardSource | RenderedPool]:
    """Build what is trained, leaving the folder of the run as it is."""
    last = options.run / 'last.pt'
    if last.exists() and not options.resume:
        raise ValueError(f'{options.run} holds last.pt: give --resume or another --run')
    if options.resume and not last.exists():
        raise ValueError(f'{options.run} holds no last.pt: leave out --resume')
    device = torch.device(options.device or ('cuda' if torch.cuda.is_available() else 'cpu'))
    if device.type == 'cuda':
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
    config = _config(options, device)
    source = (
        ShardSource(ShardFolder(options.shards))
        if options.shards
        else RenderedPool(device, config.pool, config.pool_every, config.rendered)
    )
    trainer = Trainer(_starting_model(options, config, source, device), config)
    if options.compile:
        trainer.compile()
    if options.resume:
        trainer.restore(last)
    return trainer, source


def _config(options: argparse.Namespace, device: torch.device) -> TrainingConfig:
    config = RECIPES[options.recipe or ('gpu' if device.type == 'cuda' else 'cpu')]
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='python -m xstreamvggt_ros.training',
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--run', type=Path, required=True, help='folder of the run')
    parser.add_argument('--shards', type=Path, help='folder that prerender writes to')
    start = parser.add_mutually_exclusive_group()
    start.add_argument('--resume', action='store_true', help='go on from last.pt')
    start.add_argument('--init', type=Path, help='safetensors to start from, optimiser fresh')
    parser.add_argument('--recipe', choices=sorted(RECIPES), help='by the device unless given')
    parser.add_argument('--preset', default='tiny', help='shape of the network')
    parser.add_argument(
        '--steps',
        type=int,
        help='length of the schedule; with --resume it stays unless another one is given',
    )
    parser.add_argument('--lr', type=float, help='highest learning rate')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--compile', action='store_true', help='fuse the blocks: minutes first, then a third less'
    )
    parser.add_argument('--device', help='cpu or cuda; cuda where there is one')
    parser.add_argument('--max-minutes', type=float, default=float('inf'), help='stop after')
    return parser


def _starting_model(options, config: TrainingConfig, source, device: torch.device) -> StreamVGGT:
    model = StreamVGGT(ModelConfig.preset(options.preset))
    if options.init:
        state = {name: value.float() for name, value in load_file(options.init).items()}
        model.load_state_dict(with_positions_of(model, state))
        return model.to(device)
    initialise(model, config.seed)
    if not options.resume:
        rng = np.random.default_rng(config.seed)
        source.advance(0)
        batches = [draw_batch(source.pick, config.stages[0], rng, device) for _ in range(40)]
        even_out_patches(model, torch.cat([batch.images.flatten(0, 1).cpu() for batch in batches]))
    return model.to(device)


if __name__ == '__main__':
    main()
