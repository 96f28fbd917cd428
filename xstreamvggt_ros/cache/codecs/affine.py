# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rounding to a few levels between a minimum and a maximum."""

from __future__ import annotations

import torch
from torch import Tensor

_HALF_MAX = torch.finfo(torch.float16).max
# The least number above zero, subnormal.
_HALF_LEAST = 2.0**-24


def quantise(tokens: Tensor, bits: int, dim: int) -> tuple[Tensor, Tensor, Tensor]:
    """
    Round tokens asymmetrically along `dim`: codes uint8, minimum and step fp16.

    The minimum is a float, not an integer zero point (which cannot express a group that does not
    straddle zero). Codes are those nearest under the *stored* minimum and step.
    """
    tokens = tokens.float()
    # On a CPU aminmax takes longer than the two of them.
    low, high = tokens.amin(dim, keepdim=True), tokens.amax(dim, keepdim=True)
    minimum = low.clamp(-_HALF_MAX, _HALF_MAX).half()
    step = ((high - low) / (2**bits - 1)).clamp(max=_HALF_MAX).half()
    # A group of equal numbers has step 0: any divisor then gives code 0, which reads as minimum.
    divisor = step.float().clamp_min(_HALF_LEAST)
    codes = ((tokens - minimum.float()) / divisor).round_().clamp_(0, 2**bits - 1)
    return codes.to(torch.uint8), minimum, step
