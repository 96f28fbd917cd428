# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which kernel attends: those that are there are timed once, on tensors as the stream has them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
import importlib.util
import logging

import torch
from torch import Tensor
from torch.nn.attention import sdpa_kernel, SDPBackend

from xstreamvggt_ros.cache.attention import Attention, attention, check_backend, flash, sdpa
from xstreamvggt_ros.ops.capture import Captures, on_device

# torch's own, by what they are called in the log.
OF_TORCH = {
    'cuDNN': SDPBackend.CUDNN_ATTENTION,
    'FlashAttention-2 of torch': SDPBackend.FLASH_ATTENTION,
    'memory-efficient': SDPBackend.EFFICIENT_ATTENTION,
    'plain': SDPBackend.MATH,
}
# Packages, by the module that has `flash_attn_func`.
PACKAGES = {'flash_attn': 'flash_attn', 'flash_attn 3': 'flash_attn_interface'}
# Holds the weights of all heads, which is memory that no estimate has: for want of others only.
LAST_RESORT = 'plain'
# Of a kernel's numbers to those of the plain one, by the largest of these.
AGREES = 0.03
CALLS = 20
# What is attended to where the cache has no bound, in frames.
GROWN_FRAMES = 8
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shape:
    """Of an attention: heads H, their width D, queries N and tokens attended to T."""

    heads: int
    head_dim: int
    queries: int
    tokens: int

    def __str__(self) -> str:
        """Name it as the log does."""
        return f'{self.queries:,} x {self.tokens:,} tokens, {self.heads} heads of {self.head_dim}'

    def sample(self, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """Give queries (H, N, D), keys and values (T, H, D) of random numbers."""
        generator = torch.Generator().manual_seed(0)
        sizes = ((self.heads, self.queries), (self.tokens, self.heads), (self.tokens, self.heads))
        return tuple(
            torch.randn(*size, self.head_dim, generator=generator).to(device, dtype)
            for size in sizes
        )


class AttentionChoice:
    """
    The kernel that a stream attends by; the same one for all of its caches.

    `backend` is 'auto', 'sdpa' or 'flash_attn'. On a CUDA device 'auto' times what there is, once,
    says what it found in the log, and keeps to it whatever size later images have.
    """

    def __init__(
        self, backend: str = 'auto', seconds: Callable[[Callable[[], Tensor]], float] | None = None
    ) -> None:
        """Take the name, and what times a kernel; ValueError where no kernel is called so."""
        self.backend = check_backend(backend)
        self._seconds = seconds or captured_seconds
        self._kernel: Attention | None = None
        self._order: list[SDPBackend] = []

    def kernel(
        self, device: torch.device, dtype: torch.dtype, shape: Shape, frame: Shape
    ) -> Attention:
        """
        Return what attends to the cache, queries (H, N, D) to keys and values (T, H, D).

        `shape` is that of attention to the cache, `frame` that of a frame to itself. ValueError
        where the backend cannot run.
        """
        if self.backend != 'auto' or device.type != 'cuda':
            return attention(self.backend, device, dtype)
        if self._kernel is None:
            with on_device(device):
                self._choose(device, dtype, shape, frame)
        return self._kernel

    def _choose(
        self, device: torch.device, dtype: torch.dtype, shape: Shape, frame: Shape
    ) -> None:
        there = kernels()
        name = fastest(there, shape.sample(dtype, device), self._seconds, str(shape))
        own = {each: kernel for each, kernel in there.items() if each in OF_TORCH}
        best = fastest(own, frame.sample(dtype, device), self._seconds, str(frame))
        self._order = sorted(OF_TORCH.values(), key=lambda each: each is not OF_TORCH[best])
        self._kernel = there[name]
        # What the race took is more than a frame takes.
        torch.cuda.empty_cache()

    def preferred(self) -> AbstractContextManager:
        """Have torch's attention take the kernel that was fastest for a frame by itself within."""
        return _preferring(self._order) if self._order else nullcontext()


def kernels() -> dict[str, Attention]:
    """Give every kernel that is installed, by name; which of them run is another matter."""
    found = {name: _of_torch(backend) for name, backend in OF_TORCH.items()}
    for name, module in PACKAGES.items():
        if importlib.util.find_spec(module) is not None:
            found[name] = _of_package(module)
    return found


def fastest(
    candidates: Mapping[str, Attention],
    sample: tuple[Tensor, Tensor, Tensor],
    seconds: Callable[[Callable[[], Tensor]], float],
    about: str,
) -> str:
    """
    Name the fastest of the kernels that give what plain attention does, and log all figures.

    Those that cannot run, or give other numbers, are left out with a word, and plain attention
    where another runs. ValueError: all are.
    """
    expected = sdpa(*(part.float() for part in sample))
    times, without = {}, []
    for name, kernel in sorted(candidates.items(), key=lambda each: each[0] == LAST_RESORT):
        if name == LAST_RESORT and times:
            break
        try:
            given = kernel(*sample).float()
            if float((given - expected).abs().max()) > AGREES * float(expected.abs().max()):
                without.append(f'{name} (gives other numbers)')
                continue
            times[name] = seconds(lambda kernel=kernel: kernel(*sample))
        except (RuntimeError, ImportError) as error:
            without.append(f'{name} ({str(error).partition(".")[0]})')
    if not times:
        raise ValueError(f'no attention runs for {about}: {"; ".join(without)}')
    best = min(times, key=times.get)
    figures = ', '.join(f'{name} {1e6 * each:.0f} µs' for name, each in times.items())
    _LOG.info('attention of %s: %s is taken (%s)', about, best, figures)
    if without:
        _LOG.info('attention of %s, not tried: %s', about, '; '.join(without))
    return best


def captured_seconds(function: Callable[[], Tensor]) -> float:
    """Time a call on the current CUDA device, captured: the device's time and not the host's."""

    def calls() -> None:
        for _ in range(CALLS):
            function()

    captures = Captures(torch.device('cuda', torch.cuda.current_device()))
    captures.warm(function, 3)
    replay, _ = captures.capture(calls)
    best = float('inf')
    for _ in range(3):
        began, ended = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        began.record()
        replay()
        ended.record()
        ended.synchronize()
        best = min(best, 1e-3 * began.elapsed_time(ended) / CALLS)
    return best


def _of_torch(backend: SDPBackend) -> Attention:
    def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        with sdpa_kernel(backend):
            return sdpa(queries, keys, values)

    return attend


def _of_package(module: str) -> Attention:
    def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        return flash(queries, keys, values, module)

    return attend


def _preferring(order: list[SDPBackend]) -> AbstractContextManager:
    try:
        return sdpa_kernel(order, set_priority=True)
    except TypeError:
        # torch before 2.6 has an order of its own, and plain attention for what the first cannot.
        return sdpa_kernel([order[0], SDPBackend.MATH])
