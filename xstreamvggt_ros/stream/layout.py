# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a network asks of a cache: known of its shape, before there are weights."""

from __future__ import annotations

import torch

from xstreamvggt_ros.cache import AttentionShape, FrameLayout, StreamLayout
from xstreamvggt_ros.images.patches import patch_grid
from xstreamvggt_ros.model import ModelConfig, StreamVGGT
from xstreamvggt_ros.model.camera_head import ITERATIONS


def layout_of(
    config: ModelConfig,
    height: int,
    width: int,
    dtype: torch.dtype,
    camera_dtype: torch.dtype = torch.float32,
) -> StreamLayout:
    """
    Describe it for images of that size.

    dtype: of the large weights; where those take one byte, keys and values are bf16. The camera
    head keeps its precision whatever that is.
    """
    return StreamLayout(
        frame=FrameLayout(config.special_tokens, *patch_grid(height, width)),
        global_blocks=AttentionShape(config.depth, config.num_heads, config.head_dim),
        camera_blocks=AttentionShape(
            config.camera_depth, config.camera_heads, 2 * config.embed_dim // config.camera_heads
        ),
        camera_iterations=ITERATIONS,
        dtype=dtype if dtype.itemsize > 1 else torch.bfloat16,
        camera_dtype=camera_dtype,
    )


def stream_layout(model: StreamVGGT, height: int, width: int) -> StreamLayout:
    """Describe what a network that is there will ask."""
    camera_dtype = model.camera_head.empty_pose_tokens.dtype
    return layout_of(model.config, height, width, model.dtype, camera_dtype)
