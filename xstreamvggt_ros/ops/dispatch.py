# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the fused passes run: the package's own Triton kernels on CUDA, torch elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
import functools
import importlib.util
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Launch:
    """What was launched: a Triton kernel, its arguments in order, and its constants by name."""

    kernel: Any
    arguments: tuple[Any, ...]
    options: dict[str, Any]

    @property
    def name(self) -> str:
        """The kernel's name."""
        return self.kernel.__name__


Noticed = Callable[[Launch], None]
# Told of each launch, while fused passes are taken on any device.
_EVERYWHERE: ContextVar[Noticed | None] = ContextVar('everywhere', default=None)


@functools.cache
def has_triton() -> bool:
    """Whether Triton is there to make kernels with."""
    return importlib.util.find_spec('triton') is not None


def fused(tensor: Tensor) -> bool:
    """Whether what follows on a tensor is to take the package's own kernels."""
    if not (tensor.is_cuda or _EVERYWHERE.get() is not None):
        return False
    return has_triton() and not torch.is_grad_enabled()


@contextmanager
def fused_everywhere(noticed: Noticed = lambda launch: None) -> Iterator[None]:
    """
    Take the fused passes on any device within, and tell of each launch.

    On a CPU Triton's interpreter has to run them (TRITON_INTERPRET=1); tensors without memory
    (`meta`) run nothing, so that a frame's launches can be counted on any machine.
    """
    token = _EVERYWHERE.set(noticed)
    try:
        yield
    finally:
        _EVERYWHERE.reset(token)


def launch(
    kernel: Any, grid: tuple[int, ...], first: Tensor, *arguments: Any, **options: Any
) -> None:
    """Launch a Triton kernel on the device of its first argument."""
    if not first.is_cuda:
        noticed = _EVERYWHERE.get()
        if noticed is not None:
            noticed(Launch(kernel, (first, *arguments), options))
        if not first.is_meta:
            kernel[grid](first, *arguments, **options)
    elif first.device.index == torch.cuda.current_device():
        kernel[grid](first, *arguments, **options)
    else:
        with torch.cuda.device(first.device):
            kernel[grid](first, *arguments, **options)


def power_of_two(number: int) -> bool:
    """Whether a number is 1, 2, 4, 8 and so on, as the sides of Triton's blocks are."""
    return number > 0 and number & (number - 1) == 0


def next_power_of_two(number: int) -> int:
    """Return the least power of two that is no less."""
    return 1 << max(number - 1, 0).bit_length()
