# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rotary position embedding over the patch grid (CroCo v2's 2-D RoPE)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

BASE_FREQUENCY = 100.0


@dataclass(frozen=True)
class RotaryTable:
    """
    Cosines and sines (N, D) for the tokens of one frame, fp32.

    signed_sin: the sines by which the other channel of each pair counts, negative for the first.
    """

    cos: Tensor
    sin: Tensor
    signed_sin: Tensor

    def rotate(self, x: Tensor) -> Tensor:
        """
        Rotate x (..., S * N, D), the tokens of S frames one after the other.

        The first half of D turns by the patch's row, the second by its column; within a half of
        width d, channels j and j + d / 2 are a pair.
        """
        frames = x.shape[-2] // self.cos.shape[0]
        cos, sin = self.cos, self.signed_sin
        if frames > 1:
            cos, sin = cos.repeat(frames, 1), sin.repeat(frames, 1)
        others = x.float().unflatten(-1, (2, 2, -1)).flip(-2).flatten(-3)
        return (x * cos).add_(others.mul_(sin)).to(x.dtype)


def rotary_table(
    rows: int, columns: int, special_tokens: int, head_dim: int, device: torch.device
) -> RotaryTable:
    """
    Build the table of a frame of special tokens, then rows x columns patches in row-major order.

    Special tokens sit at position (0, 0), the patch in row r and column c at (r + 1, c + 1).
    """
    row, column = torch.meshgrid(
        torch.arange(1, rows + 1, device=device),
        torch.arange(1, columns + 1, device=device),
        indexing='ij',
    )
    positions = torch.stack([row, column], dim=-1).reshape(-1, 2)
    positions = torch.cat([positions.new_zeros(special_tokens, 2), positions]).float()
    pairs = head_dim // 4
    exponents = torch.arange(pairs, device=device, dtype=torch.float32) / pairs
    angles = positions[:, :, None] * BASE_FREQUENCY**-exponents
    angles = torch.cat([angles, angles], dim=-1).flatten(1)
    sin = angles.sin()
    first, second = sin.unflatten(-1, (2, 2, -1)).unbind(-2)
    return RotaryTable(angles.cos(), sin, torch.stack([-first, second], dim=-2).flatten(1))
