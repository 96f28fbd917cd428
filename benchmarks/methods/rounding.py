# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rounding as the package's cache does it, of numbers that stay floats, and their bytes."""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.cache.codecs.affine import quantise

# Minimum and step of a token and head, in fp16.
_SCALES = 4


def rounded(tokens: Tensor, bits: int) -> Tensor:
    """Return tokens (T, H, D), fp32, as they are read after storage at that many bits."""
    codes, minimum, step = quantise(tokens, bits, dim=-1)
    return codes * step.float() + minimum.float()


def half_bytes(width: int, bits: int) -> int:
    """Return the bytes that a token's key, or value, takes in one head of that width."""
    return width * bits // 8 + _SCALES


class KeyRounding:
    """
    The shipped scheme of keys: each channel's offset and gain taken out, then as values.

    offset, gain: (H, D), frozen from the keys (N, H, D) of the first frame.
    """

    def __init__(self, keys: Tensor) -> None:
        """Freeze the factors."""
        low, high = keys.float().amin(dim=0), keys.float().amax(dim=0)
        tiny = torch.finfo(torch.float16).smallest_normal
        self.offset = ((low + high) / 2).half().float()
        self.gain = ((high - low) / 2).clamp_min(tiny).half().float()

    def __call__(self, keys: Tensor, bits: int) -> Tensor:
        """Return keys (T, H, D) as they are read after storage at that many bits."""
        return rounded((keys - self.offset) / self.gain, bits) * self.gain + self.offset
