# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory the tensors of a frame take at once, counted without allocating them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
import weakref

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from xstreamvggt_ros.cache import StreamLayout
from xstreamvggt_ros.cache.rows import total_bytes
from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.stream import stream_layout


@dataclass(frozen=True)
class FrameTrace:
    """
    Bytes of one frame through a network, its memory of earlier frames apart.

    layout: what the network asks of a cache. numbers: how many its parameters are. weights: bytes
    of them. peak: the most that the tensors of a frame take at once. attending: the most that
    they take while a global block attends.
    """

    layout: StreamLayout
    numbers: int
    weights: int
    peak: int
    attending: int


@cache
def trace_frame(
    config: ModelConfig, height: int, width: int, dtype: torch.dtype, point_head: bool
) -> FrameTrace:
    """Run the network on an image of that size on the meta device, and count."""
    with torch.device('meta'):
        model = StreamVGGT(config).eval()
        image = torch.empty(1, 1, 3, height, width)
    model.set_precision(dtype)
    counter = LiveBytes(model.parameters())
    memory = _NoMemory(counter)
    with torch.inference_mode(), _FusedAttention(), counter:
        model.advance(image, memory, True, point_head)
    parameters = list(model.parameters())
    return FrameTrace(
        stream_layout(model, height, width),
        sum(each.numel() for each in parameters),
        total_bytes(parameters),
        counter.peak,
        memory.most,
    )


class LiveBytes(TorchDispatchMode):
    """Follow the tensors that operators give, from their making until nobody holds them."""

    def __init__(self, known: Iterable[Tensor]) -> None:
        """Begin at zero; what is known does not count."""
        super().__init__()
        self.live = 0
        self.peak = 0
        # A storage's Python object lives as long as the storage does, and its identity with it.
        self._known = {id(each.untyped_storage()) for each in known}

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run an operator and count what it gives."""
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._follow(leaf.untyped_storage())
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.live -= size


class _FusedAttention(TorchFunctionMode):
    """Attend as the fused kernels do, which never hold the matrix that meta tensors would."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Give the shape of what is attended to; leave all other functions as they are."""
        if func is functional.scaled_dot_product_attention:
            return torch.empty_like(args[0])
        return func(*args, **(kwargs or {}))


class _NoMemory:
    """Stand in for the cache, and note what is live while it is asked."""

    def __init__(self, counter: LiveBytes) -> None:
        self.most = 0
        self._counter = counter

    def global_room(self, layer: int, tokens: int) -> None:
        return None

    def attend_global(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        self.most = max(self.most, self._counter.live)
        return torch.empty_like(queries)

    def attend_camera(
        self, iteration: int, block: int, queries: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        return torch.empty_like(queries)
