# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a cache holds, read off its tensors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LayerStats:
    """
    One global block's slots.

    tokens: live ones. budget: the most there may be, None for no bound. bytes: all that the layer
    has allocated. policy_bytes: the part of it that belongs to the policy. evictions: stored
    tokens overwritten so far. frames: distinct frames held. oldest_age: frames since the oldest
    of them but the first arrived, 0 where there is none.
    """

    tokens: int
    budget: int | None
    bytes: int
    policy_bytes: int
    evictions: int
    frames: int
    oldest_age: int


@dataclass(frozen=True)
class CacheStats:
    """
    A stream's cache.

    tokens, evictions: summed over the layers. bytes: everything that persists between steps, the
    camera head's lists (camera_bytes) too. scratch_bytes: what is overwritten in every step.
    steps: frames that entered since the stream began.
    """

    layers: tuple[LayerStats, ...]
    tokens: int
    evictions: int
    bytes: int
    camera_bytes: int
    scratch_bytes: int
    steps: int
