# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What stands between a stream and whoever advances it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from xstreamvggt_ros.cache import CacheStats
from xstreamvggt_ros.stream.frame import Frame


class Resumable(Protocol):
    """What has a memory that can be saved."""

    def state_dict(self) -> dict[str, Tensor]:
        """Return the memory as tensors by name, `image_size` (height, width) among them."""


class FrameReconstructor(Resumable, Protocol):
    """
    All that guard and pipeline need of a network: `StreamingReconstructor`, or another.

    `point_head` says whether it computes points of its own, and may be set between frames; one
    that has no such head leaves it without effect.
    """

    point_head: bool

    def step(self, image: Tensor, keep: bool = True) -> Frame:
        """
        Reconstruct the stream's next image (3, H, W), float in [0, 1].

        The frame is in the world of the stream's first camera. With keep=False the stream stays
        as it is.
        """

    def reset(self) -> None:
        """Begin a new stream."""

    def cache_stats(self) -> CacheStats:
        """Say what the stream holds."""

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """
        Resume the stream that `state_dict` returned.

        Raises ValueError where the state is damaged or of another model or configuration; the
        present stream then goes on.
        """
