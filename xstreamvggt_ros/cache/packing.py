# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small integers, several to a byte."""

from __future__ import annotations

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


def unpack(packed: Tensor, bits: int, out: Tensor) -> None:
    """Unpack bytes (..., D * bits / 8) into codes (..., D) of out's type; undoes pack."""
    mask = 2**bits - 1
    for part, piece in enumerate(out.unflatten(-1, (8 // bits, -1)).unbind(-2)):
        piece.copy_((packed >> (part * bits)) & mask)
