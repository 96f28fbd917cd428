# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network's shape, and the named shapes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from xstreamvggt_ros.images.patches import patch_grid, PATCH_SIZE


@dataclass(frozen=True)
class EncoderShape:
    """Width, depth and heads of a DINOv2 patch encoder."""

    embed_dim: int
    depth: int
    num_heads: int


DINOV2_ENCODERS = {
    'dinov2_vits14_reg': EncoderShape(384, 12, 6),
    'dinov2_vitb14_reg': EncoderShape(768, 12, 12),
    'dinov2_vitl14_reg': EncoderShape(1024, 24, 16),
    # Not published ones: the encoders of `tiny` and `small`, which learn them with the rest.
    'dinov2_tiny14_reg': EncoderShape(128, 2, 2),
    'dinov2_mini14_reg': EncoderShape(192, 2, 3),
}


@dataclass(frozen=True)
class ModelConfig:
    """
    Describe a StreamVGGT network; the defaults are the published model.

    image_size: long side in pixels that the network was trained at, a multiple of 14.
    patch_embed: 'conv' or the name of a DINOv2 encoder.
    embed_dim: token width C. num_heads: attention heads, each C / num_heads wide.
    depth: number L of (frame block, global block) pairs.
    num_register_tokens: registers R beside the one camera token of a frame.
    dpt_features, dpt_channels, dpt_layers: width, pyramid channels and tapped pairs (0-based)
    of the dense heads. camera_depth, camera_heads: trunk of the camera head, 2C wide.

    Raises ValueError naming the field where the numbers do not fit together.
    """

    image_size: int = 518
    patch_embed: str = 'dinov2_vitl14_reg'
    embed_dim: int = 1024
    num_heads: int = 16
    depth: int = 24
    num_register_tokens: int = 4
    dpt_features: int = 256
    dpt_channels: tuple[int, int, int, int] = (256, 512, 1024, 1024)
    dpt_layers: tuple[int, int, int, int] = (4, 11, 17, 23)
    camera_depth: int = 4
    camera_heads: int = 16

    def __post_init__(self) -> None:
        """Accept lists (as JSON gives them) and refuse shapes that cannot be built."""
        object.__setattr__(self, 'dpt_channels', tuple(self.dpt_channels))
        object.__setattr__(self, 'dpt_layers', tuple(self.dpt_layers))
        self._check_encoder()
        self._check_positive()
        self._check_heads()

    @classmethod
    def preset(cls, name: str) -> ModelConfig:
        """Return a named shape: 'streamvggt' (published), 'tiny' (ships with it) or 'small'."""
        if name not in PRESETS:
            raise ValueError(f'preset is {name!r}; use one of: {", ".join(sorted(PRESETS))}')
        return PRESETS[name]

    @property
    def head_dim(self) -> int:
        """Width D of one attention head of the aggregator."""
        return self.embed_dim // self.num_heads

    @property
    def special_tokens(self) -> int:
        """Tokens of a frame before its patches: the camera token and the registers."""
        return 1 + self.num_register_tokens

    def tokens_per_frame(self, height: int, width: int) -> int:
        """Return N for an image of that size in pixels."""
        return self.special_tokens + prod(patch_grid(height, width))

    def _check_encoder(self) -> None:
        if self.patch_embed == 'conv':
            return
        if self.patch_embed not in DINOV2_ENCODERS:
            known = ', '.join(['conv', *DINOV2_ENCODERS])
            raise ValueError(f'patch_embed is {self.patch_embed!r}; use one of: {known}')
        width = DINOV2_ENCODERS[self.patch_embed].embed_dim
        if width != self.embed_dim:
            raise ValueError(
                f'embed_dim is {self.embed_dim}, but {self.patch_embed} gives tokens of {width}'
            )

    def _check_positive(self) -> None:
        for name in (
            'image_size',
            'embed_dim',
            'num_heads',
            'depth',
            'dpt_features',
            'camera_depth',
            'camera_heads',
        ):
            if getattr(self, name) < 1:
                raise ValueError(f'{name} is {getattr(self, name)}; it must be at least 1')
        if self.image_size % PATCH_SIZE:
            raise ValueError(f'image_size is {self.image_size}; use a multiple of {PATCH_SIZE}')
        if self.num_register_tokens < 0:
            raise ValueError(f'num_register_tokens is {self.num_register_tokens}; use 0 or more')

    def _check_heads(self) -> None:
        if self.embed_dim % self.num_heads or self.head_dim % 4:
            raise ValueError(
                f'embed_dim {self.embed_dim} over num_heads {self.num_heads} must give heads '
                'whose width is a multiple of 4 (2-D RoPE splits it in four)'
            )
        if 2 * self.embed_dim % self.camera_heads:
            raise ValueError(
                f'camera_heads is {self.camera_heads}; it must divide 2 * embed_dim = '
                f'{2 * self.embed_dim}'
            )
        if len(self.dpt_channels) != 4 or len(self.dpt_layers) != 4:
            raise ValueError('dpt_channels and dpt_layers must have four entries each')
        if max(self.dpt_layers) >= self.depth or min(self.dpt_layers) < 0:
            raise ValueError(
                f'dpt_layers {self.dpt_layers} must lie in 0..{self.depth - 1}, below depth'
            )
        if self.dpt_features % 2 or any(channels % 4 for channels in self.dpt_channels):
            raise ValueError('dpt_features must be even and dpt_channels multiples of 4')


PRESETS = {
    'streamvggt': ModelConfig(),
    'tiny': ModelConfig(
        image_size=168,
        patch_embed='dinov2_tiny14_reg',
        embed_dim=128,
        num_heads=2,
        depth=4,
        dpt_features=48,
        dpt_channels=(32, 48, 64, 64),
        dpt_layers=(0, 1, 2, 3),
        camera_depth=1,
        camera_heads=4,
    ),
    # Half as wide again as `tiny`, from which training can begin; the dense heads twice as wide.
    'small': ModelConfig(
        image_size=224,
        patch_embed='dinov2_mini14_reg',
        embed_dim=192,
        num_heads=3,
        depth=4,
        dpt_features=96,
        dpt_channels=(64, 96, 128, 128),
        dpt_layers=(0, 1, 2, 3),
        camera_depth=1,
        camera_heads=6,
    ),
}
