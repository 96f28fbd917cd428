# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print what each policy's scoring costs: python -m benchmarks.policy_cost.

At the full model's shapes (518 x 392, 24 layers, 16 heads of 64), on the CPU, beside the linear
layers and attention of the same global block, timed in turn so that a busy machine slows both. A
policy may differ by quarter of the blocks: shown is the mean of one block of each.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from functools import partial
from statistics import mean
import time

import torch

from xstreamvggt_ros.cache import FrameLayout
from xstreamvggt_ros.cache.policies import EvictionContext, MEAN_KEY, POLICIES, VALUE_SIZE
from xstreamvggt_ros.model.layers import Block

FRAME = FrameLayout(special_tokens=5, rows=28, columns=37)
HEADS, DIM, QUARTERS = 16, 64, 4
# Counted: a frame's arithmetic by that of its global blocks' linear layers and attention.
FRAME_BY_GLOBAL = 2870 / (629 + 316)


def context(held: int, generator: torch.Generator) -> EvictionContext:
    """Make one full layer, its tokens of the first frame and of many later ones."""
    tokens = FRAME.tokens
    frames = torch.randint(1, 40, (held,), generator=generator).int()
    grids = torch.randint(0, tokens, (held,), generator=generator).int()
    keys, values = torch.randn(2, held + tokens, HEADS, DIM, generator=generator)
    return EvictionContext(
        queries=torch.randn(HEADS, tokens, DIM, generator=generator),
        keys=keys,
        values=values,
        state={
            MEAN_KEY: keys[:held].mean(dim=1),
            VALUE_SIZE: values[:held].abs().sum(dim=-1),
        },
        frames=frames,
        grids=grids,
        kept=held - tokens,
        newest=40,
        layer=0,
        layers=QUARTERS,
        frame=FRAME,
    )


@torch.inference_mode()
def main() -> None:
    """Time and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--held', type=int, default=2048, help='tokens held by a layer')
    parser.add_argument('--rounds', type=int, default=5)
    arguments = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    case = context(arguments.held, generator)
    block = Block(HEADS * DIM, HEADS, qk_norm=True).eval()
    tokens = torch.randn(1, FRAME.tokens, HEADS * DIM, generator=generator)

    def attend(queries, _keys, _values):
        keys, values = (part.transpose(0, 1)[None] for part in (case.keys, case.values))
        return torch.nn.functional.scaled_dot_product_attention(queries, keys, values)

    policies = {name: policy() for name, policy in POLICIES.items()}
    quarters = [replace(case, layer=layer) for layer in range(QUARTERS)]
    tasks = {
        (name, each.layer): partial(policy.score, each)
        for name, policy in policies.items()
        for each in quarters
    }
    tasks['global block', 0] = partial(block, tokens, attend)
    times = {task: [] for task in tasks}
    for _ in range(arguments.rounds + 1):
        for key, task in tasks.items():
            began = time.perf_counter()
            task()
            times[key].append(time.perf_counter() - began)
    # The least, for whatever else the machine does only adds.
    least = {
        name: mean(min(times[task]) for task in times if task[0] == name) for name, _ in tasks
    }
    frame = least['global block'] * FRAME_BY_GLOBAL
    threads = torch.get_num_threads()
    print(f'{arguments.held} held, {FRAME.tokens} new tokens, fp32, {threads} threads')
    print('| policy | ms a layer | share of a frame |\n|---|---|---|')
    for name, seconds in least.items():
        print(f'| {name} | {1e3 * seconds:.2f} | {seconds / frame:.1%} |')


if __name__ == '__main__':
    main()
