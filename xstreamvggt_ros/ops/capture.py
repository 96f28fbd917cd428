# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""CUDA graphs on whichever device the work is on, and torch unharmed where one cannot be made."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import ClassVar, TypeVar
import warnings

import torch

T = TypeVar('T')
# What torch says of a graph without nodes, and goes on.
_EMPTY = 'The CUDA Graph is empty'
# What ends the pool of a capture, by the name that torch has and had for it until 2.5.
_END_POOL = ('_cuda_endAllocateToPool', '_cuda_endAllocateCurrentStreamToPool')


def on_device(device: torch.device) -> AbstractContextManager:
    """
    Make a CUDA device the current one within; others need no such thing.

    What torch makes without being told where is made there: streams, events, graphs.
    """
    return torch.cuda.device(device) if device.type == 'cuda' else nullcontext()


class Captures:
    """Work on one CUDA device, captured; all share one pool of memory, for one runs at a time."""

    # By device: of each stream that multiplied, cuBLAS keeps a workspace until the process ends.
    _streams: ClassVar[dict[torch.device, torch.cuda.Stream]] = {}
    # The allocator of pinned memory goes on asking a graph whose capture failed whether memory
    # is for it, in torch 2.9 and later, and nothing in Python ends that: it must not be freed.
    _failed: ClassVar[list[torch.cuda.CUDAGraph]] = []

    def __init__(self, device: torch.device) -> None:
        """Take the device, with its index; nothing is allocated."""
        self._device = device
        self._pool: tuple[int, int] | None = None

    def warm(self, work: Callable[[], object], times: int) -> None:
        """Run work on the stream that it will be captured on: so kernels and memory are there."""
        with on_device(self._device):
            stream = self._beside()
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                for _ in range(times):
                    work()
            torch.cuda.current_stream().wait_stream(stream)

    def capture(self, work: Callable[[], T]) -> tuple[Callable[[], None], T]:
        """
        Capture work without running it: what runs it, and what it then writes its results into.

        Raises what work raises, and RuntimeError where the device refuses or nothing was captured;
        stream and allocator are then as they were before.
        """
        with on_device(self._device):
            stream, graph = self._beside(), torch.cuda.CUDAGraph()
            # Known beforehand, so that it can be ended by hand.
            pool = self._pool or torch.cuda.graph_pool_handle()
            torch.cuda.synchronize()
            torch.cuda.empty_cache()
            with torch.cuda.stream(stream):
                try:
                    # Other threads of the process may allocate meanwhile.
                    graph.capture_begin(pool, capture_error_mode='thread_local')
                    result = work()
                    _end(graph)
                except BaseException:
                    self._failed.append(graph)
                    _abandon(graph, self._device, pool)
                    raise
            self._pool = pool
        return graph.replay, result

    def release(self) -> None:
        """Give the pool back, once no graph uses it."""
        if self._pool is not None:
            self._pool = None
            torch.cuda.empty_cache()

    def _beside(self) -> torch.cuda.Stream:
        """Return the device's stream of all captures; torch's own is of one device."""
        if self._device not in self._streams:
            self._streams[self._device] = torch.cuda.Stream(self._device)
        return self._streams[self._device]


def _end(graph: torch.cuda.CUDAGraph) -> None:
    """End a capture; RuntimeError where nothing is in it: that would do nothing for ever."""
    with warnings.catch_warnings():
        warnings.filterwarnings('error', _EMPTY)
        try:
            graph.capture_end()
        except UserWarning as warning:
            raise RuntimeError(
                'nothing was captured: the work is on another device or stream'
            ) from warning


def _abandon(graph: torch.cuda.CUDAGraph, device: torch.device, pool: tuple[int, int]) -> None:
    """Do what torch leaves undone where a capture fails: end it, and its hold on the allocator."""
    with suppress(RuntimeError):
        graph.capture_end()
    end_pool = next(getattr(torch._C, name) for name in _END_POOL if hasattr(torch._C, name))
    # It refuses where torch did end it, which then gives the pool back with the graph.
    with suppress(RuntimeError):
        end_pool(device.index, pool)
        torch._C._cuda_releasePool(device.index, pool)
    graph.reset()
    torch.cuda.empty_cache()
