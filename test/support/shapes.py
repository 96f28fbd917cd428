# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The smallest network that has every part."""

from xstreamvggt_ros.model import ModelConfig

SMALLEST = ModelConfig(
    image_size=56,
    patch_embed='conv',
    embed_dim=64,
    num_heads=1,
    depth=2,
    dpt_features=16,
    dpt_channels=(8, 8, 16, 16),
    dpt_layers=(0, 0, 1, 1),
    camera_depth=1,
    camera_heads=2,
)
