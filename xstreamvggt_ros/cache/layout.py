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

    @property
    def width(self) -> int:
        """Numbers of a token's key, or of its value."""
        return self.heads * self.head_dim

    def heads_at_once(self, together: bool) -> int:
        """How many heads are worked on at a time: all of them together, or one by one."""
        return self.heads if together else 1


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

    @property
    def growth(self) -> tuple[int, int]:
        """
        Tokens, of all global blocks, and bytes by which every frame grows a cache without bounds.

        The bytes are theirs and the camera head's: one token an iteration in each of its blocks.
        """
        tokens = self.global_blocks.blocks * self.frame.tokens
        camera_tokens = self.camera_blocks.blocks * self.camera_iterations
        size = tokens * self.global_blocks.width * self.dtype.itemsize
        camera_size = camera_tokens * self.camera_blocks.width * self.camera_dtype.itemsize
        return tokens, 2 * (size + camera_size)
