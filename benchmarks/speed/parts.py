# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stop-watch on the parts of a network, and what they count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
import functools
import math

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.speed.peaks import now
from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.model.camera_head import ITERATIONS
from xstreamvggt_ros.model.layers import Block
from xstreamvggt_ros.model.narrow import can_pack

PARTS = ('encoder', 'frame blocks', 'global blocks', 'cache', 'camera head', 'depth head',
         'point head', 'conversion', 'publishing')  # fmt: skip


class StopWatch:
    """Add up seconds under names."""

    def __init__(self, device: torch.device) -> None:
        """Begin at zero."""
        self.device = device
        self.seconds: dict[str, float] = defaultdict(float)

    def timed(self, name: str, function: Callable) -> Callable:
        """Return the function with its time counted under name."""

        @functools.wraps(function)
        def run(*arguments, **keywords):
            began = now(self.device)
            result = function(*arguments, **keywords)
            self.seconds[name] += now(self.device) - began
            return result

        return run

    def watch(self, model: StreamVGGT) -> None:
        """Time the parts of a network from now on."""
        for name, module in parts_of(model):
            module.forward = self.timed(name, module.forward)
            if isinstance(module, Block):
                # Fused passes run a block by that.
                module.advance = self.timed(name, module.advance)

    def take(self) -> dict[str, float]:
        """Return the seconds by part since last time; the cache's are those beside attention."""
        seconds, self.seconds = dict(self.seconds), defaultdict(float)
        memory = seconds.pop('memory', 0.0) - seconds.pop('attention', 0.0)
        seconds['global blocks'] = seconds.get('global blocks', 0.0) - memory
        return seconds | {'cache': memory}


def parts_of(model: StreamVGGT) -> list[tuple[str, nn.Module]]:
    """Name the modules that are timed."""
    aggregator = model.aggregator
    return [
        ('encoder', aggregator.patch_embed),
        *(('frame blocks', block) for block in aggregator.frame_blocks),
        *(('global blocks', block) for block in aggregator.global_blocks),
        ('camera head', model.camera_head),
        ('depth head', model.depth_head),
        ('point head', model.point_head),
    ]


def _int_mm_flop(a: tuple, b: tuple, *rest, **keywords) -> int:
    return 2 * a[0] * a[1] * b[1]


def _packed_flop(rows: tuple, weight: tuple, *rest, **keywords) -> int:
    return 2 * math.prod(rows) * weight[0]


def _vector_flop(matrix: tuple, vector: tuple, *rest, **keywords) -> int:
    return 2 * math.prod(matrix)


def _attention_flop(queries: tuple, keys: tuple, *rest, **keywords) -> int:
    batch, heads, tokens, dim = queries
    return 4 * batch * heads * tokens * keys[2] * dim


def count_operations(step: Callable[[], object], dtype: str) -> dict[str, float]:
    """Count a step's operations by the precision in which they run, for a contender of dtype."""
    mapping = {
        torch.ops.aten._int_mm: _int_mm_flop,
        torch.ops.aten.mv: _vector_flop,
        torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_flop,
    }
    if can_pack():
        mapping[torch.ops.mkldnn._linear_pointwise] = _packed_flop
    with FlopCounterMode(display=False, custom_mapping=mapping) as counter:
        step()
    counted: dict[str, float] = defaultdict(float)
    other = 'bfloat16' if dtype == 'int8' else dtype
    for operator, count in counter.get_flop_counts().get('Global', {}).items():
        counted['int8' if '_int_mm' in str(operator) else other] += count
    return dict(counted)


def weight_bytes(model: StreamVGGT, point_head: bool) -> int:
    """Return the bytes of weights that a frame reads: the camera head's once an iteration."""
    modules = [(model.aggregator, 1), (model.camera_head, ITERATIONS), (model.depth_head, 1)]
    if point_head:
        modules.append((model.point_head, 1))
    return sum(
        times * sum(each.nbytes for each in module.parameters()) for module, times in modules
    )
