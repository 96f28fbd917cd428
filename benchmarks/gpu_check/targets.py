# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked of one H200 at 518x392 in bf16, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Target:
    """
    One figure that is asked for.

    part, figure: where it is found. least: it has to be at least `asked`, otherwise at most.
    """

    name: str
    part: str
    figure: str
    asked: float
    unit: str
    least: bool = False

    def row(self, results: Mapping[str, Mapping[str, Any]]) -> str:
        """Set the target beside what was found."""
        found = results.get(self.part, {}).get(self.figure)
        sign = '>=' if self.least else '<='
        asked = f'{sign} {self.asked:g} {self.unit}'.rstrip()
        if found is None:
            return f'| {self.name} | {asked} | | not measured |'
        met = found >= self.asked if self.least else found <= self.asked
        return f'| {self.name} | {asked} | {found:.4g} | {"met" if met else "**not met**"} |'


TARGETS = (
    Target('CUDA tests that passed', 'tests', 'passed', 20, '', least=True),
    Target('CUDA tests that failed', 'tests', 'failed', 0, ''),
    Target('golden files, fp32, of each maximum', 'golden', 'float32', 2e-5, ''),
    Target('golden files, bf16, depth of its maximum', 'golden', 'bfloat16_depth', 0.02, ''),
    Target('tiny against the CPU, fp32', 'tiny', 'float32_depth', 1e-3, ''),
    Target('tiny against the CPU, bf16, depth', 'tiny', 'bfloat16_depth', 0.01, ''),
    Target('tiny against the CPU, bf16, position by path', 'tiny', 'bfloat16_pose', 0.005, ''),
    Target('kernels of a steady frame, counted', 'launches', 'counted', 1000, ''),
    Target('step, captured, 2,048 tokens', 'step', 'captured_2048', 12, 'ms'),
    Target('step, eager, 2,048 tokens', 'step', 'eager_2048', 35, 'ms'),
    Target('first image after warm-up to its arrays', 'pipeline', 'first', 100, 'ms'),
    Target('any later image while the cache fills', 'pipeline', 'slowest_filling', 40, 'ms'),
    Target('pipeline, 640x480 in, arrays out', 'pipeline', 'rate', 60, 'frames/s', least=True),
    Target('node by pipeline', 'node', 'node_by_pipeline', 0.9, '', least=True),
    Target('times faster than naive', 'race', 'than_naive', 5, '', least=True),
    Target(
        'times faster than unbounded fp32 with both heads at frame 200',
        'fp32',
        'than_unbounded',
        60,
        '',
        least=True,
    ),
    Target('most memory beyond the weights', 'memory', 'beyond_weights', 320, 'MiB'),
)


def targets_table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Set every target beside its figure."""
    rows = [target.row(results) for target in TARGETS]
    return '\n'.join(['| asked of | target | figure | |', '|---|---|---|---|', *rows])
