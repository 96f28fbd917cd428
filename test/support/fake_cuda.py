# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What torch.cuda does with devices, streams and captures, as far as a CPU can play it."""

from collections import Counter
from contextlib import contextmanager
from functools import partial
import warnings

import torch

from xstreamvggt_ros.ops.capture import Captures


class Stream:
    """A queue of one device."""

    def __init__(self, device):
        self.device = device
        self.graph = None
        self.ran = 0

    def wait_stream(self, other):
        """Wait for nothing, for everything runs at once."""


class Graph:
    """What torch.cuda.CUDAGraph is."""

    def __init__(self, cuda):
        self.cuda = cuda
        self.nodes, self.valid, self.ended, self.pool = [], True, False, None

    def capture_begin(self, pool, capture_error_mode='global'):
        """Begin on the current stream."""
        self.stream, self.pool = self.cuda.streams[self.cuda.current], pool
        assert self.stream not in self.cuda.default
        assert pool not in self.cuda.underway
        self.cuda.underway.add(pool)
        self.cuda.users[pool] += 1
        self.stream.graph = self

    def capture_end(self):
        """End on the current stream."""
        stream = self.cuda.streams[self.cuda.current]
        if stream.graph is not self:
            raise RuntimeError('CUDA error: illegal state')
        stream.graph = None
        if not self.valid:
            # As torch does: the pool goes on being allocated to.
            raise RuntimeError('operation failed due to a previous error during capture')
        self.cuda.underway.remove(self.pool)
        self.ended = True
        if not self.nodes:
            warnings.warn('The CUDA Graph is empty. This usually means', stacklevel=2)

    def reset(self):
        """Give the pool back."""
        if self.ended:
            self.cuda.release(0, self.pool)
        self.ended = False

    def replay(self):
        """Run what was captured."""
        for node in self.nodes:
            node()


class FakeCuda:
    """Two devices; `install` puts it in torch.cuda's place."""

    def __init__(self):
        self.current = 0
        self.default = [Stream(torch.device('cuda', index)) for index in range(2)]
        self.streams = list(self.default)
        self.underway, self.users, self.pools = set(), Counter(), 0
        self.emptied = 0

    def install(self, monkeypatch):
        """Replace the parts of torch that captures use."""
        parts = {
            'CUDAGraph': partial(Graph, self),
            'Stream': lambda device=None: Stream(device or torch.device('cuda', self.current)),
            'current_device': lambda: self.current,
            'current_stream': lambda device=None: self.streams[self.current],
            'device': self.on,
            'empty_cache': self.empty,
            'graph_pool_handle': self.handle,
            'stream': self.using,
            'synchronize': lambda: None,
        }
        for name, part in parts.items():
            monkeypatch.setattr(torch.cuda, name, part)
        # What fails here is nothing to the device that there may be.
        monkeypatch.setattr(Captures, '_streams', {})
        monkeypatch.setattr(Captures, '_failed', [])
        monkeypatch.setattr(torch._C, '_cuda_endAllocateToPool', self.end, raising=False)
        monkeypatch.setattr(torch._C, '_cuda_releasePool', self.release, raising=False)
        return self

    def launch(self, device, work):
        """Run a kernel on a device, or have it captured where its current stream is."""
        graph = self.streams[device].graph
        if graph is None:
            self.streams[device].ran += 1
            work()
        else:
            graph.nodes.append(work)

    def wait(self, device):
        """Have the host wait for a device, which no capture survives."""
        graph = self.streams[device].graph
        if graph is not None:
            graph.valid = False
            raise RuntimeError('operation not permitted when stream is capturing')

    @contextmanager
    def on(self, device):
        """Make a device the current one."""
        before, self.current = self.current, torch.device(device).index
        try:
            yield
        finally:
            self.current = before

    @contextmanager
    def using(self, stream):
        """Make a stream, and its device, the current one."""
        device, index = self.current, stream.device.index
        before = self.streams[index]
        self.streams[index], self.current = stream, index
        try:
            yield
        finally:
            self.streams[index], self.current = before, device

    def handle(self):
        """Name a pool."""
        self.pools += 1
        return 0, self.pools

    def end(self, device, pool):
        """End allocation to a pool."""
        if pool not in self.underway:
            raise RuntimeError('endAllocatePool: not currently recording to mempool_id')
        self.underway.remove(pool)

    def release(self, device, pool):
        """Give back a graph's share of a pool."""
        self.users[pool] -= 1
        assert self.users[pool] >= 0

    def empty(self):
        """Note it."""
        self.emptied += 1
