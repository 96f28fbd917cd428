# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Count the kernels that a steady frame launches on CUDA: python -m benchmarks.launches.

No GPU is needed: the frame runs on tensors without memory, the way it would on CUDA; operators are
counted as they are dispatched, the package's own Triton kernels as one each. Views, allocations
and casts that change nothing launch nothing and are left out. A convolution with a bias counts as
two, for cuDNN adds it in a pass of its own.

What this cannot see: what one operator launches beyond its first kernel (sorts, split products,
cuDNN's changes of layout), copies between host and device, and how long any of it takes.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
import functools

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from xstreamvggt_ros.cache import CacheConfig, StreamCache
from xstreamvggt_ros.cache.policies import POLICIES
from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.ops.dispatch import fused_everywhere, Launch
from xstreamvggt_ros.stream import Frame, frame_from, stream_layout
from xstreamvggt_ros.stream.step_graph import StepGraph

META = torch.device('meta')
SIZE = (392, 518)
PARTS = (
    'encoder',
    'frame blocks',
    'global blocks',
    'cache: read',
    'cache: attend',
    'cache: score',
    'cache: choose',
    'cache: store',
    'camera head',
    'depth head',
    'point head',
    'result',
    'other',
)
# Steps of frames that a stream may have seen once it is steady.
_STEADY = 1000
_ALLOCATIONS = {'empty', 'empty_like', 'empty_strided', 'new_empty', 'new_empty_strided', 'detach'}


class Launches(TorchDispatchMode):
    """Count what each operator launches, by the part of the frame that it belongs to."""

    def __init__(self) -> None:
        """Begin at none."""
        super().__init__()
        self.counts: Counter[tuple[str, str]] = Counter()
        self._parts = ['other']

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run an operator and count it."""
        out = func(*args, **(kwargs or {}))
        count = _launched(func, args, kwargs or {}, out)
        if count:
            self.note(func.overloadpacket.__name__, count)
        return out

    def note(self, name: str, count: int = 1) -> None:
        """Count kernels of that name."""
        self.counts[self._parts[-1], name] += count

    def within(self, part: str, function: Callable) -> Callable:
        """Return the function with all that it launches counted to a part."""

        def counted(*args, **kwargs):
            self._parts.append(part)
            try:
                return function(*args, **kwargs)
            finally:
                self._parts.pop()

        return counted


class _OneAttention(TorchFunctionMode):
    """Count attention as the one kernel that it is on CUDA; laid out as the queries are."""

    def __init__(self, launches: Launches) -> None:
        super().__init__()
        self._launches = launches

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is functional.scaled_dot_product_attention:
            self._launches.note('attention')
            return torch.empty_like(args[0])
        return func(*args, **(kwargs or {}))


def _launched(func, args: tuple, kwargs: dict, out: object) -> int:
    """Return how many kernels an operator launches."""
    if func.overloadpacket.__name__ in _ALLOCATIONS:
        return 0
    results = [each for each in tree_leaves(out) if isinstance(each, Tensor)]
    if not any(each.numel() for each in results):
        return 0
    writes = any(
        argument.alias_info is not None and argument.alias_info.is_write
        for argument in func._schema.arguments
    )
    given = {_memory(each) for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)}
    if not writes and all(_memory(each) in given for each in results):
        return 0
    has_bias = func.overloadpacket.__name__ == 'convolution' and args[2] is not None
    return 2 if has_bias else 1


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata


def full_cache(model: StreamVGGT, config: CacheConfig, height: int, width: int) -> StreamCache:
    """Return a stream's cache, without memory, as it is after many frames."""
    cache = StreamCache(config, stream_layout(model, height, width), META)
    for each in cache.layers:
        each.held, each.arrivals = each.capacity, _STEADY
        each.keys.prepare(torch.empty(1, 1, 1, device=META))
    cache.steps = _STEADY
    return cache


def count_launches(
    model: ModelConfig,
    config: CacheConfig,
    size: tuple[int, int] = SIZE,
    dtype: torch.dtype = torch.bfloat16,
    point_head: bool = False,
) -> Counter[tuple[str, str]]:
    """Return how often a steady frame (H, W) launches each kernel: {(part, name): count}."""
    network, image = _network(model, dtype), torch.empty(1, 1, 3, *size, device=META)
    launches = Launches()

    def noticed(launch: Launch) -> None:
        launches.note(launch.name)

    # Not in inference mode, in which operators arrive that are made of others.
    with torch.no_grad():
        with fused_everywhere():
            # The first frame makes tables that are kept.
            _advance(network, full_cache(network, config, *size), image, point_head)
            cache = full_cache(network, config, *size)
        attributed = _attributed(launches, network, cache)
        with attributed, fused_everywhere(noticed), _OneAttention(launches), launches:
            predictions = _advance(network, cache, image, point_head)
            launches.within('result', frame_from)(predictions, *size)
    return launches.counts


def frame_launches(
    model: ModelConfig, config: CacheConfig, size: tuple[int, int] = SIZE
) -> list[Launch]:
    """Return every launch of the package's own kernels that a steady frame (H, W) in bf16 has."""
    network, image = _network(model, torch.bfloat16), torch.empty(1, 1, 3, *size, device=META)
    launches: list[Launch] = []
    with torch.no_grad(), fused_everywhere(launches.append), _OneAttention(Launches()):
        predictions = _advance(network, full_cache(network, config, *size), image, False)
        frame_from(predictions, *size)
    return launches


class _Graphs:
    """Stands in for captures: a captured step is one launch."""

    def __init__(self, launches: Launches) -> None:
        self._launches = launches

    def can(self, image: Tensor) -> bool:
        return True

    def capture(
        self, step: Callable[[], Frame], device: torch.device
    ) -> tuple[Callable[[], None], Frame]:
        return functools.partial(self._launches.note, 'graph'), step()

    def release(self) -> None:
        return None


def count_captured(
    model: ModelConfig, config: CacheConfig, size: tuple[int, int] = SIZE
) -> Counter[tuple[str, str]]:
    """Return what the host launches of a captured steady frame (H, W) in bf16."""
    network, image = _network(model, torch.bfloat16), torch.empty(3, *size, device=META)
    launches = Launches()

    def step(cache: StreamCache, image: Tensor, keep: bool, point_head: bool) -> Frame:
        predictions = _advance(network, cache, image[None, None], point_head)
        return frame_from(predictions, *size)

    graph = StepGraph(step, _Graphs(launches))
    with torch.no_grad(), fused_everywhere(), _OneAttention(Launches()):
        cache = full_cache(network, config, *size)
        # Steps run once before they are captured.
        for _ in range(3):
            launches.counts.clear()
            with launches:
                graph.advance(cache, image, True, False)
    return launches.counts


@functools.cache
def _network(model: ModelConfig, dtype: torch.dtype) -> StreamVGGT:
    """Return a network without memory."""
    with META:
        network = StreamVGGT(model).eval().requires_grad_(False)
    return network.set_precision(dtype)


def _advance(model: StreamVGGT, cache: StreamCache, image: Tensor, point_head: bool):
    with cache.frame():
        return model.advance(image, cache, False, point_head)


@contextmanager
def _attributed(launches: Launches, model: StreamVGGT, cache: StreamCache) -> Iterator[None]:
    """Count what the parts of a frame launch within to them."""
    owners = list(_owners(model, cache))
    for owner, name, part in owners:
        setattr(owner, name, launches.within(part, getattr(owner, name)))
    try:
        yield
    finally:
        # The model is kept, and others count what it launches.
        for owner, name, _ in owners:
            delattr(owner, name)


def _owners(model: StreamVGGT, cache: StreamCache) -> Iterator[tuple[object, str, str]]:
    yield model.aggregator.patch_embed, 'forward', 'encoder'
    yield model.camera_head, 'forward', 'camera head'
    yield model.depth_head, 'forward', 'depth head'
    yield model.point_head, 'forward', 'point head'
    for kind, blocks in (
        ('frame blocks', model.aggregator.frame_blocks),
        ('global blocks', model.aggregator.global_blocks),
    ):
        for block in blocks:
            yield block, 'forward', kind
            yield block, 'advance', kind
    yield cache.scratch, 'gather', 'cache: read'
    yield cache, '_attend', 'cache: attend'
    for layer in cache.layers:
        yield layer, 'admit', 'cache: store'
        yield layer, '_make_room', 'cache: choose'
    yield cache.layers[0].policy, 'score', 'cache: score'


def by_part(counts: Counter[tuple[str, str]]) -> dict[str, int]:
    """Sum the counts of each part, in the order of PARTS."""
    sums: Counter[str] = Counter()
    for (part, _), count in counts.items():
        sums[part] += count
    return {part: sums[part] for part in PARTS if sums[part]}


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument('--preset', default='streamvggt')
    parser.add_argument('--size', type=int, nargs=2, default=SIZE[::-1], metavar=('W', 'H'))
    parser.add_argument('--policy', default='attention_value', choices=sorted(POLICIES))
    parser.add_argument('--bits', type=int, default=4)
    parser.add_argument('--budget-tokens', type=int, default=2048)
    parser.add_argument(
        '--cuda-graph', action='store_true', help='what the host launches of a captured frame'
    )
    parser.add_argument('--names', action='store_true', help='of the kernels, too')
    options = parser.parse_args()
    config = replace(
        CacheConfig.recommended().with_budget(budget_tokens=options.budget_tokens),
        bits=options.bits,
        policy=options.policy,
    )
    count = count_captured if options.cuda_graph else count_launches
    counts = count(ModelConfig.preset(options.preset), config, tuple(options.size[::-1]))
    print('| part | launches |\n|---|---|')
    for part, count in by_part(counts).items():
        print(f'| {part} | {count} |')
        if options.names:
            for (owner, name), each in counts.most_common():
                if owner == part:
                    print(f'| - {name} | {each} |')
    print(f'| all | {sum(counts.values())} |')


if __name__ == '__main__':
    main()
