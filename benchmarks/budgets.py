# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Print what a budget costs: python -m benchmarks.budgets.

Memory is estimated and a frame's arithmetic is counted on the meta device, for the full model at
518 x 392 as it ships otherwise: nothing is measured or allocated. The last columns set a budget
beside the paper's.
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.flop_counter import FlopCounterMode

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.memory.estimate import estimate, MIB, named, Settings
from xstreamvggt_ros.model import ModelConfig, StreamVGGT

FRAMES = (2, 6, 8, 12, 16, 24, 48)
TERA = 1e12


class Held:
    """Attend as with a cache of so many tokens a layer, of so many frames in the camera head."""

    def __init__(self, tokens: int, camera_frames: int) -> None:
        """Hold nothing but the numbers."""
        self.tokens, self.camera_frames = tokens, camera_frames

    def global_room(self, layer: int, tokens: int) -> None:
        """Give no place to write new keys and values to."""

    def attend_global(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend to them and the new ones; tensors are (1, H, N, D)."""
        return _attend(queries, keys, values, self.tokens)

    def attend_camera(
        self, iteration: int, block: int, queries: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        """Attend to one token a frame and the new one."""
        return _attend(queries, keys, values, self.camera_frames)


def operations(config: ModelConfig, size: tuple[int, int], tokens: int, camera: int) -> int:
    """Count a frame's floating-point operations, a product and a sum being two."""
    with torch.device('meta'):
        model = StreamVGGT(config).eval().requires_grad_(False)
        image = torch.empty(1, 1, 3, *size)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model.advance(image, Held(tokens, camera), False, False)
    return counter.get_total_flops()


def table(config: ModelConfig, image_size: int) -> str:
    """Set the paper's budget and those of `FRAMES` as a table."""
    shipped, paper = CacheConfig.recommended(), CacheConfig.published().budget
    budgets = [paper, *({'budget_frames': frames} for frames in FRAMES)]
    rows = [
        '| budget | tokens a layer | cache, MiB | memory estimated | TFLOP a frame | by the '
        "paper's |",
        '|---|---|---|---|---|---|',
    ]
    first = 0
    for budget in budgets:
        cache = shipped.with_budget(**budget)
        needed = estimate(Settings(config, cache, image_size, torch.bfloat16))
        ((name, amount),) = budget.items()
        of_frame = config.tokens_per_frame(*needed.size)
        tokens = amount * of_frame if name == 'budget_frames' else amount
        count = operations(config, needed.size, tokens, cache.camera_budget_frames)
        first = first or count
        mark = ', as it ships' if budget == shipped.budget else ''
        rows.append(
            f'| {amount:,} {name.removeprefix("budget_")}{mark} | {tokens:,} | '
            f'{needed.cache / MIB:.0f} | {named(needed.total)} | {count / TERA:.2f} | '
            f'{count / first:.2f} |'
        )
    return '\n'.join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--preset', default='streamvggt')
    parser.add_argument('--image-size', type=int, default=0, help="long side; 0: the preset's")
    options = parser.parse_args(arguments)
    config = ModelConfig.preset(options.preset)
    print(table(config, options.image_size or config.image_size))
    return 0


def _attend(queries: Tensor, keys: Tensor, values: Tensor, held: int) -> Tensor:
    keys, values = (
        torch.cat([part.new_empty(*part.shape[:2], held, part.shape[3]), part], dim=2)
        for part in (keys, values)
    )
    return scaled_dot_product_attention(queries, keys, values)


if __name__ == '__main__':
    raise SystemExit(main())
