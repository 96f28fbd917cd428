# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Attention in torch, by the kernel that is fastest where the tensors are."""

from __future__ import annotations

import functools
import math

import torch
from torch import Tensor
from torch.nn import functional


def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend queries (..., H, N, D) to keys and values (..., H, T, D), unmasked."""
    on_cpu, learning = queries.device.type == 'cpu', torch.is_grad_enabled()
    if on_cpu and not learning and by_products(queries.dtype):
        return _by_products(queries, keys, values)
    return functional.scaled_dot_product_attention(queries, keys, values)


def by_products(dtype: torch.dtype) -> bool:
    """Whether a CPU attends in that type by two matrix products a head."""
    return dtype == torch.bfloat16 and not _has_amx()


@functools.cache
def _has_amx() -> bool:
    """Whether the processor multiplies tiles in bf16, for which torch's own attention is made."""
    # Older versions of torch cannot say.
    capabilities = getattr(torch.cpu, 'get_capabilities', dict)()
    return bool(capabilities.get('amx_bf16', False))


def _by_products(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """
    Attend by two matrix products a head, whose scores (N, T) then stay in the processor's cache.

    On a CPU with bf16 instructions but no tiles this is faster than torch's own attention in bf16.
    """
    attended = torch.empty_like(queries, memory_format=torch.contiguous_format)
    scaled = queries * (1 / math.sqrt(queries.shape[-1]))
    scores = queries.new_empty(queries.shape[-2], keys.shape[-2])
    heads = (part.flatten(0, -3) for part in (scaled, keys, values, attended))
    for query, key, value, out in zip(*heads, strict=True):
        torch.mm(query, key.t(), out=scores)
        torch.mm(torch.softmax(scores, dim=-1, out=scores), value, out=out)
    return attended
