# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Count the kernels of a training step on CUDA: python -m benchmarks.training_launches.

No GPU is needed: a step runs on a CPU, attending as on a GPU, and the operators that it comes down
to are counted. Views and allocations launch nothing and are left out. How many there are depends
neither on the images' size nor on the number of sequences. Two columns: what the device runs, and
what the host launches, to whom the captured part is one.

What this cannot see: what one operator launches beyond its first kernel, and how long it takes.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training.config import RECIPES, Stage
from xstreamvggt_ros.training.draws import draw
from xstreamvggt_ros.training.initialisation import initialise
from xstreamvggt_ros.training.objective import Objective
from xstreamvggt_ros.training.stepping import Stepping
from xstreamvggt_ros.training.trainer import Trainer

SIZE, SHAPE = (42, 56), (2, 4)
NO_KERNEL = {'empty', 'empty_like', 'empty_strided', 'new_empty', 'new_empty_strided', 'detach'}
# The numbers of a batch, and their copy into the graph's.
TRANSFERS = 2


class Launches(TorchDispatchMode):
    """Count operators by name, but for those that launch nothing."""

    def __init__(self) -> None:
        """Begin at none."""
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run an operator and count it."""
        out = func(*args, **(kwargs or {}))
        if _launches(func, args, kwargs or {}, out):
            self.counts[func.overloadpacket.__name__] += 1
        return out


def _launches(func, args: tuple, kwargs: dict, out: object) -> bool:
    if func.overloadpacket.__name__ in NO_KERNEL:
        return False
    writes = any(
        argument.alias_info is not None and argument.alias_info.is_write
        for argument in func._schema.arguments
    )
    given = {_memory(each) for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)}
    results = [each for each in tree_leaves(out) if isinstance(each, Tensor)]
    return writes or any(_memory(each) not in given for each in results)


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


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
    return captured.counts, rest.counts


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--preset', default='tiny')
    parser.add_argument('--recipe', default='gpu', choices=sorted(RECIPES))
    parser.add_argument('--names', action='store_true', help='of the operators, too')
    options = parser.parse_args()
    captured, rest = count_step(ModelConfig.preset(options.preset), options.recipe)
    run, launched = captured.total(), rest.total()
    print('| of a training step | kernels run | launched by the host |\n|---|---|---|')
    print(f'| batch, losses, gradients: captured | {run} | 1 |')
    print(f'| clipping, optimisers, average | {launched} | {launched} |')
    print(f'| transfers | {TRANSFERS} | {TRANSFERS} |')
    print(f'| all | {run + launched + TRANSFERS} | {1 + launched + TRANSFERS} |')
    for counts in (captured, rest) if options.names else ():
        print('\n'.join(f'{count:6} {name}' for name, count in counts.most_common()))


if __name__ == '__main__':
    main()
