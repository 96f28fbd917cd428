# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shapes that a stream's cache is laid out for."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class FrameLayout:
    """The tokens of one frame: special ones first, then rows x columns patches, row-major."""

    special_tokens: int
    rows: int
    columns: int

    @property
    def tokens(self) -> int:
        """N, the tokens of a frame."""
        return self.special_tokens + self.rows * self.columns


@dataclass(frozen=True)
class AttentionShape:
    """A stack of attention blocks whose keys and values are remembered."""

    blocks: int
    heads: int
    head_dim: int


@dataclass(frozen=True)
class StreamLayout:
    """
    Everything that decides how large a stream's cache is, known once the image size is.

    dtype is the precision of keys and values of the global blocks; camera_dtype that of the
    camera head's, which runs camera_iterations times a frame.
    """

    frame: FrameLayout
    global_blocks: AttentionShape
    camera_blocks: AttentionShape
    camera_iterations: int
    dtype: torch.dtype
    camera_dtype: torch.dtype
