# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention over unpacked slots: stock kernels, chosen by name."""

from __future__ import annotations

from collections.abc import Callable
import importlib
import importlib.util

import torch
from torch import Tensor

from xstreamvggt_ros.ops.attention import attend

BACKENDS = ('auto', 'sdpa', 'flash_attn')

# Queries (H, N, D) to keys and values (T, H, D), unmasked; gives (H, N, D).
Attention = Callable[[Tensor, Tensor, Tensor], Tensor]


def check_backend(name: str) -> str:
    """Return the name, or raise ValueError where no kernel is called so."""
    if name not in BACKENDS:
        raise ValueError(f'attention is {name!r}; use one of: {", ".join(BACKENDS)}')
    return name


def attention(backend: str, device: torch.device, dtype: torch.dtype) -> Attention:
    """
    Return the kernel of that name for keys and values of that type on that device.

    'sdpa' is what torch has: flash, cuDNN or plain attention, or two products; 'flash_attn' is
    the package of that name; 'auto' is what torch has, which `AttentionChoice` betters on CUDA.

    Raises ValueError where the name is unknown or flash_attn cannot run.
    """
    check_backend(backend)
    obstacle = _flash_obstacle(device, dtype)
    if backend == 'flash_attn' and obstacle:
        raise ValueError(f"attention is 'flash_attn', but {obstacle}; use 'auto' or 'sdpa'")
    return flash if backend == 'flash_attn' else sdpa


def sdpa(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend with torch."""
    return attend(queries[None], keys.transpose(0, 1)[None], values.transpose(0, 1)[None])[0]


def flash(queries: Tensor, keys: Tensor, values: Tensor, module: str = 'flash_attn') -> Tensor:
    """Attend with the flash-attn package, or with its successor by the name of its module."""
    attend_all = importlib.import_module(module).flash_attn_func
    attended = attend_all(queries.transpose(0, 1)[None], keys[None], values[None])
    # Some versions give the logarithms of the sums as well.
    attended = attended[0] if isinstance(attended, tuple) else attended
    return attended[0].transpose(0, 1)


def _flash_obstacle(device: torch.device, dtype: torch.dtype) -> str | None:
    if importlib.util.find_spec('flash_attn') is None:
        return "flash-attn is not installed (pip install 'xstreamvggt_ros[flash]')"
    if device.type != 'cuda':
        return f'it needs a CUDA device, not {device.type}'
    if dtype not in (torch.float16, torch.bfloat16):
        return f'it needs fp16 or bf16, not {dtype}'
    return None
