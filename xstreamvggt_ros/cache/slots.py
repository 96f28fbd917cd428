# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which slots give way to a new frame: decided on small tensors, without a look at keys."""

from __future__ import annotations

import torch
from torch import Tensor

_AGE_BITS = 16
_GRID_BITS = 16
_HIGHEST = torch.iinfo(torch.int64).max
_LOWEST = torch.iinfo(torch.int64).min


def keep_order(scores: Tensor, frames: Tensor, grids: Tensor, newest: int | Tensor) -> Tensor:
    """
    Rank held tokens (T,) by one int64 each; the higher is kept.

    Score decides first, then the newer frame, then the lower grid index, so that the choice is
    the same everywhere. A score that is not a number ranks lowest.
    """
    # Adding zero makes -0 and 0 one number.
    scores = scores.float().masked_fill(scores.isnan(), -torch.inf) + 0.0
    bits = scores.view(torch.int32)
    # Floats compare as their bits do, once the negative ones are turned round.
    monotone = bits ^ ((bits >> 31) & 0x7FFFFFFF)
    age = (newest - frames.long()).clamp(0, 2**_AGE_BITS - 1)
    ties = ((2**_AGE_BITS - 1 - age) << _GRID_BITS) | (2**_GRID_BITS - 1 - grids.long())
    return (monotone.long() << (_AGE_BITS + _GRID_BITS)) | ties


def choose_evictions(
    order: Tensor, count: int, protected: Tensor, forced: Tensor | None = None
) -> Tensor:
    """
    Return the `count` slots (count,) that are overwritten, those of the lowest order.

    `protected` (T,) slots are never among them, `forced` ones always are; there must be at least
    `count` unprotected slots and at most `count` forced ones.
    """
    if forced is not None:
        order = order.masked_fill(forced, _LOWEST)
    order = order.masked_fill(protected, _HIGHEST)
    return order.topk(count, largest=False, sorted=False).indices
