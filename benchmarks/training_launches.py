# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Count the kernels of a training step on CUDA: python -m benchmarks.training_launches.

No GPU is needed: a step runs on a CPU, attending as on a GPU, and the operators that it comes down
to are counted as those of a frame are (benchmarks.launches). How many there are depends
neither on the images' size nor on the number of sequences. Two columns: what the device runs, and
what the host launches, to whom the captured part is one.

What this cannot see: what one operator launches beyond its first kernel, and how long it takes.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
import torch

from benchmarks.launches import Launches
from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training.config import RECIPES, Stage
from xstreamvggt_ros.training.draws import draw
from xstreamvggt_ros.training.initialisation import initialise
from xstreamvggt_ros.training.objective import Objective
from xstreamvggt_ros.training.stepping import Stepping
from xstreamvggt_ros.training.trainer import Trainer

SIZE, SHAPE = (42, 56), (2, 4)
# The numbers of a batch, and their copy into the graph's.
TRANSFERS = 2


def count_step(model: ModelConfig, recipe: str = 'gpu') -> tuple[Counter[str], Counter[str]]:
    """Return what losses and gradients launch by name, and what the optimisers and averages do."""
    config = RECIPES[recipe]
    network = StreamVGGT(model)
    initialise(network, seed=0)
    trainer = Trainer(network, config)
    intrinsics = torch.tensor([[40.0, 0, 28], [0, 40, 21], [0, 0, 1]])
    held = Sequence(
        torch.zeros(2, 8, *SIZE, 3, dtype=torch.uint8),
        torch.ones(2, 8, *SIZE, dtype=torch.float16),
        torch.eye(3, 4).repeat(2, 8, 1, 1),
        intrinsics.repeat(2, 8, 1, 1),
    )

    def gather(drawn):
        index = drawn.sequence.long()[:, None], drawn.frame.long()
        return Sequence(*(part[index] for part in held.parts()))

    objective = Objective(network, trainer.read_outs, config, fused=True)
    stepping = Stepping(objective, trainer.optimisers.parameters, gather)
    stage = Stage(1.0, SIZE, (SHAPE,))
    flat = draw(np.arange(2), 8, SHAPE[1], (1, 1), np.random.default_rng(0)).flat()
    # Tables and moments are made once.
    trainer.learn(stepping(flat, SHAPE, stage))
    with Launches() as captured:
        outcome = stepping(flat, SHAPE, stage)
    with Launches() as rest:
        trainer.learn(outcome)
    return _by_name(captured), _by_name(rest)


def _by_name(launches: Launches) -> Counter[str]:
    found: Counter[str] = Counter()
    for (_, name), count in launches.counts.items():
        found[name] += count
    return found


def table(model: ModelConfig, recipe: str = 'gpu', names: bool = False) -> str:
    """Write the counts of a step as Markdown."""
    captured, rest = count_step(model, recipe)
    run, launched = captured.total(), rest.total()
    lines = [
        '| of a training step | kernels run | launched by the host |',
        '|---|---|---|',
        f'| batch, losses, gradients: captured | {run} | 1 |',
        f'| clipping, optimisers, average | {launched} | {launched} |',
        f'| transfers | {TRANSFERS} | {TRANSFERS} |',
        f'| all | {run + launched + TRANSFERS} | {1 + launched + TRANSFERS} |',
    ]
    for counts in (captured, rest) if names else ():
        lines += [f'{count:6} {name}' for name, count in counts.most_common()]
    return '\n'.join(lines)


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--preset', default='tiny')
    parser.add_argument('--recipe', default='gpu', choices=sorted(RECIPES))
    parser.add_argument('--names', action='store_true', help='of the operators, too')
    options = parser.parse_args()
    print(table(ModelConfig.preset(options.preset), options.recipe, options.names))


if __name__ == '__main__':
    main()
