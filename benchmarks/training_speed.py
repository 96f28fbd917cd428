# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Time training steps: python -m benchmarks.training_speed [--recipe gpu] [--preset tiny] [--eager].

Nothing is rendered: the sequences are noise, read from one shard as a run reads them. Each shape
of each stage runs for some seconds behind its first steps, captured on CUDA unless --eager says
otherwise; the frames a second are those of whole steps, optimisers and averages included.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
import tempfile
import time

import torch

from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.training.config import quick, RECIPES, TrainingConfig
from xstreamvggt_ros.training.initialisation import initialise
from xstreamvggt_ros.training.pool import DevicePool
from xstreamvggt_ros.training.shards import Sequence, ShardFolder
from xstreamvggt_ros.training.trainer import Trainer

SEQUENCES = 8
FIRST_STEPS = 6


@dataclass(frozen=True)
class Row:
    """How fast a shape of a stage trains."""

    size: tuple[int, int]
    shape: tuple[int, int]
    steps_per_second: float
    frames_per_second: float


def measure(
    config: TrainingConfig, model: ModelConfig, device: torch.device, seconds: float, capture: bool
) -> Iterator[Row]:
    """Time every shape of every stage."""
    with tempfile.TemporaryDirectory() as folder:
        shards = ShardFolder(Path(folder))
        shards.write('000000', [_noise(config) for _ in range(SEQUENCES)])
        pool = DevicePool(shards, device, SEQUENCES, SEQUENCES)
        try:
            pool.start(lambda: None)
            for stage in config.stages:
                for shape in stage.shapes:
                    only = replace(config, stages=(replace(stage, until=1.0, shapes=(shape,)),))
                    yield _row(only, model, pool, device, seconds, capture)
        finally:
            pool.close()


def _row(config, model: ModelConfig, pool: DevicePool, device, seconds: float, capture: bool):
    network = StreamVGGT(model)
    initialise(network, seed=0)
    trainer = Trainer(network.to(device), config, capture=capture)
    for _ in range(FIRST_STEPS):
        report = trainer.advance(pool)
    float(report['loss'])
    first, begin = trainer.step, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        report = trainer.advance(pool)
    # Waits for the device.
    float(report['loss'])
    rate = (trainer.step - first) / (time.perf_counter() - begin)
    stage = config.stages[0]
    return Row(stage.size, stage.shapes[0], rate, rate * report['frames'])


def _noise(config: TrainingConfig) -> Sequence:
    frames, (height, width) = config.frames, config.rendered
    intrinsics = torch.tensor([[width, 0.0, width / 2], [0, width, height / 2], [0, 0, 1]])
    poses = torch.eye(3, 4).repeat(frames, 1, 1)
    poses[:, 0, 3] = 0.05 * torch.arange(frames)
    return Sequence(
        torch.randint(0, 256, (frames, height, width, 3), dtype=torch.uint8),
        1 + torch.rand(frames, height, width).half(),
        poses,
        intrinsics.repeat(frames, 1, 1),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--recipe', default='gpu', choices=sorted(RECIPES))
    parser.add_argument('--preset', default='tiny')
    parser.add_argument('--seconds', type=float, default=5.0, help='for each shape')
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--eager', action='store_true', help='launch kernel by kernel')
    parser.add_argument('--quick', action='store_true', help='few small images')
    options = parser.parse_args()
    device = torch.device(options.device)
    if device.type == 'cuda':
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
    config = quick(RECIPES[options.recipe]) if options.quick else RECIPES[options.recipe]
    name = torch.cuda.get_device_name(device) if device.type == 'cuda' else 'CPU'
    print(f'{name}, {options.preset}, {"eager" if options.eager else "captured on CUDA"}')
    print('| images | sequences x frames | steps/s | frames/s |\n|---|---|---|---|')
    preset = ModelConfig.preset(options.preset)
    for row in measure(config, preset, device, options.seconds, not options.eager):
        (height, width), (count, frames) = row.size, row.shape
        print(
            f'| {width}x{height} | {count} x {frames} | {row.steps_per_second:.2f} '
            f'| {row.frames_per_second:,.0f} |',
            flush=True,
        )


if __name__ == '__main__':
    main()
