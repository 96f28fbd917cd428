# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small integers, several to a byte."""

from __future__ import annotations

import torch
from torch import Tensor


def pack(codes: Tensor, bits: int) -> Tensor:
    """
    Pack codes (..., D) uint8, each below 2**bits, into bytes (..., D * bits / 8).

    A byte holds channels that lie D * bits / 8 apart, so that unpacking writes contiguous runs.
    """
    parts = 8 // bits
    pieces = codes.unflatten(-1, (parts, -1))
    packed = pieces[..., 0, :].clone()
    for part in range(1, parts):
        packed |= pieces[..., part, :] << (part * bits)
    return packed


def unpack(packed: Tensor, bits: int) -> Tensor:
    """Unpack bytes (..., D * bits / 8) into codes (..., D) uint8; undoes pack."""
    # Eight bytes at a time where they go into words; the mask is repeated for each.
    word, size = (torch.int64, 8) if packed.shape[-1] % 8 == 0 else (torch.uint8, 1)
    mask = int.from_bytes([2**bits - 1] * size, 'little', signed=size > 1)
    words = packed.view(word)
    pieces = [(words >> shift) & mask for shift in range(0, 8, bits)]
    return torch.stack(pieces, dim=-2).view(torch.uint8).flatten(-2)
