# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From pixels to patch tokens: DINOv2 (arXiv 2304.07193, 2309.16588) or a convolution."""

from __future__ import annotations

import torch
from torch import nn, Tensor
from torch.nn import functional

from xstreamvggt_ros.images.patches import patch_grid, PATCH_SIZE
from xstreamvggt_ros.model.layers import Block
from xstreamvggt_ros.model.model_config import DINOV2_ENCODERS, EncoderShape, ModelConfig
from xstreamvggt_ros.model.residual import Residual
from xstreamvggt_ros.model.tables import KeptTables

ENCODER_REGISTERS = 4


class PatchProjection(nn.Module):
    """Project each 14 x 14 patch of an image to one token."""

    def __init__(self, embed_dim: int) -> None:
        """Build for tokens of width embed_dim."""
        super().__init__()
        self.proj = nn.Conv2d(3, embed_dim, PATCH_SIZE, PATCH_SIZE)

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to tokens (B, P, C), row-major."""
        return self.proj(images).flatten(2).transpose(1, 2)


class DinoEncoder(nn.Module):
    """A DINOv2 vision transformer with four registers, patch rows out."""

    def __init__(self, shape: EncoderShape, image_size: int) -> None:
        """Build with positions for a square of image_size pixels, resized where needed."""
        super().__init__()
        self.grid = image_size // PATCH_SIZE
        width = shape.embed_dim
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + self.grid**2, width))
        self.register_tokens = nn.Parameter(torch.zeros(1, ENCODER_REGISTERS, width))
        # In the checkpoint, for masked pre-training; never used here.
        self.mask_token = nn.Parameter(torch.zeros(1, width))
        self.patch_embed = PatchProjection(width)
        self.blocks = nn.ModuleList(
            Block(width, shape.num_heads, eps=1e-6) for _ in range(shape.depth)
        )
        self.norm = nn.LayerNorm(width, eps=1e-6)
        # Positions resized to a grid: those of a stream do not change.
        self.tables = KeptTables()

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (B, 3, H, W) to patch tokens (B, P, C)."""
        rows, columns = patch_grid(*images.shape[-2:])
        patches = self.patch_embed(images) + self._patch_positions(rows, columns)
        batch = images.shape[0]
        cls = (self.cls_token + self.pos_embed[:, :1]).expand(batch, -1, -1)
        registers = self.register_tokens.expand(batch, -1, -1)
        tokens = torch.cat([cls, registers, patches], dim=1)
        if Residual.pays(tokens):
            return self._advance(tokens)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens[:, 1 + ENCODER_REGISTERS :])

    def _advance(self, tokens: Tensor) -> Tensor:
        """Run the blocks and the norm by fused passes."""
        residual = Residual(tokens)
        for block in self.blocks:
            block.advance(residual)
        return residual.normed(self.norm, tokens.dtype)[:, 1 + ENCODER_REGISTERS :]

    def _patch_positions(self, rows: int, columns: int) -> Tensor:
        positions = self.pos_embed[:, 1:]
        if (rows, columns) == (self.grid, self.grid):
            return positions
        if torch.is_grad_enabled():
            return _resized(positions, self.grid, rows, columns)
        weights = self.pos_embed
        # Training changes weights in place; those of an inference nobody can change.
        version = 0 if weights.is_inference() else weights._version
        key = (rows, columns, weights.device, weights.dtype, weights.data_ptr(), version)
        return self.tables.get(key, lambda: _resized(positions, self.grid, rows, columns))


def _resized(positions: Tensor, grid: int, rows: int, columns: int) -> Tensor:
    """Resize positions (1, grid * grid, C) to (1, rows * columns, C)."""
    square = positions.unflatten(1, (grid, grid)).permute(0, 3, 1, 2)
    resized = functional.interpolate(
        square.float(), size=(rows, columns), mode='bicubic', antialias=True
    )
    return resized.flatten(2).transpose(1, 2).to(positions.dtype)


def patch_encoder(config: ModelConfig) -> nn.Module:
    """Build the encoder that config names."""
    if config.patch_embed == 'conv':
        return PatchProjection(config.embed_dim)
    return DinoEncoder(DINOV2_ENCODERS[config.patch_embed], config.image_size)
