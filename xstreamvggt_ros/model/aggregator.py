# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Alternating attention: within a frame, then over all frames so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import nn, Tensor

from xstreamvggt_ros.images.patches import patch_grid
from xstreamvggt_ros.model.layers import Attention, Block, Mlp
from xstreamvggt_ros.model.model_config import ModelConfig
from xstreamvggt_ros.model.narrow import HalfLinear, PackedLinear, replace_linears
from xstreamvggt_ros.model.patch_encoder import patch_encoder
from xstreamvggt_ros.model.residual import Residual
from xstreamvggt_ros.model.rope import rotary_table, RotaryTable
from xstreamvggt_ros.model.tables import KeptTables

# Global block index, then queries, keys, values (B, H, S * N, D), to attended values.
GlobalAttend = Callable[[int, Tensor, Tensor, Tensor], Tensor]
# Global block index and number of its tokens to where their keys and values (S N, H, D) are
# wanted, which is where they then are when attended to; None: anywhere.
GlobalRoom = Callable[[int, int], tuple[Tensor, Tensor] | None]

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)


class Aggregator(nn.Module):
    """Patch encoder and L pairs of frame and global blocks (arXiv 2503.11651, 2507.11539)."""

    def __init__(self, config: ModelConfig) -> None:
        """Build the network that config describes."""
        super().__init__()
        self.config = config
        width = config.embed_dim
        # Index 0 is for the first frame of a stream, index 1 for every later one.
        self.camera_token = nn.Parameter(torch.zeros(1, 2, 1, width))
        self.register_token = nn.Parameter(torch.zeros(1, 2, config.num_register_tokens, width))
        self.patch_embed = patch_encoder(config)
        self.frame_blocks = self._blocks()
        self.global_blocks = self._blocks()
        self.tables = KeptTables()
        self._colours: tuple[Tensor, Tensor] | None = None
        # What queries, keys and values are given to `attend` in; None: as the weights are.
        self.dtype: torch.dtype | None = None

    def forward(
        self,
        images: Tensor,
        attend: GlobalAttend,
        first: bool,
        taps: set[int],
        room: GlobalRoom | None = None,
    ) -> dict[int, Tensor]:
        """
        Turn images (B, S, 3, H, W) in [0, 1] into features {pair: (B, S, N, 2C)} of the taps.

        `first` says whether images[:, 0] starts a stream. A feature is the frame block's output
        beside the global block's; only those that a head reads are kept, and no pair behind the
        last of them runs. `room` says of a pair where its global block's keys and values are
        wanted in memory.
        """
        tokens = self._tokens(images, first)
        if Residual.pays(tokens):
            return self._advance(tokens, attend, self._rotary_table(images), taps, room)
        batch, frames = images.shape[:2]
        rope = self._rotary_table(images)
        features = {}
        for pair, (frame_block, global_block) in enumerate(self._pairs(taps)):
            within = frame_block(tokens.flatten(0, 1), rope=rope).unflatten(0, (batch, frames))
            tokens = global_block(within.flatten(1, 2), partial(attend, pair), rope).unflatten(
                1, (frames, -1)
            )
            if pair in taps:
                features[pair] = torch.cat([within, tokens], dim=-1)
        return features

    def _advance(
        self,
        tokens: Tensor,
        attend: GlobalAttend,
        rope: RotaryTable,
        taps: set[int],
        room: GlobalRoom | None,
    ) -> dict[int, Tensor]:
        """Run the blocks by fused passes; a feature's halves are written where they are used."""
        batch, frames, count, width = tokens.shape
        residual, features = Residual(tokens), {}
        for pair, (frame_block, global_block) in enumerate(self._pairs(taps)):
            residual.reshape(batch * frames)
            frame_block.advance(residual, rope=rope)
            residual.reshape(batch)
            if pair in taps:
                features[pair] = tokens.new_empty(batch, frames, count, 2 * width)
                within, beyond = features[pair].flatten(1, 2).chunk(2, dim=-1)
                residual.write_to(within)
            place = None if room is None else partial(room, pair, frames * count)
            global_block.advance(residual, partial(attend, pair), rope, place)
            if pair in taps:
                residual.write_to(beyond)
        residual.settled()
        return features

    def _pairs(self, taps: set[int]) -> Iterator[tuple[Block, Block]]:
        needed = 1 + max(taps)
        return zip(self.frame_blocks[:needed], self.global_blocks[:needed], strict=True)

    def set_precision(
        self, mlp: type[nn.Module], other: type[nn.Module], attention: torch.dtype
    ) -> None:
        """Make the MLPs' linear layers of one kind and the others of another; attend in a type."""
        for part in self.modules():
            if isinstance(part, Mlp):
                replace_linears(part, mlp)
        replace_linears(self, other)
        self.dtype = attention
        for part in self.modules():
            if isinstance(part, Attention):
                part.dtype = attention

    def pack(self) -> None:
        """Pack every bf16 linear layer; see PackedLinear."""
        for part in self.modules():
            if isinstance(part, Mlp) and isinstance(part.fc1, HalfLinear):
                part.fc1, part.activation = PackedLinear(part.fc1, gelu=True), nn.Identity()
        replace_linears(self, PackedLinear, HalfLinear)

    def _blocks(self) -> nn.ModuleList:
        config = self.config
        return nn.ModuleList(
            Block(config.embed_dim, config.num_heads, qk_norm=True) for _ in range(config.depth)
        )

    def _tokens(self, images: Tensor, first: bool) -> Tensor:
        """Return [camera, registers, patches] of each frame, (B, S, N, C)."""
        batch, frames = images.shape[:2]
        mean, std = self._image_statistics(images)
        normalised = ((images - mean) / std).to(self.camera_token.dtype)
        patches = self.patch_embed(normalised.flatten(0, 1)).unflatten(0, (batch, frames))
        special = torch.cat([self.camera_token, self.register_token], dim=2)
        later = special[:, 1:].expand(batch, frames - int(first), -1, -1)
        opening = special[:, :1].expand(batch, int(first), -1, -1)
        return torch.cat([torch.cat([opening, later], dim=1), patches], dim=2)

    def _image_statistics(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and deviation (3, 1, 1) of colours, kept on the images' device."""
        if self._colours is None or self._colours[0].device != images.device:
            with torch.inference_mode(False), torch.no_grad():
                self._colours = tuple(
                    torch.tensor(channels, device=images.device)[:, None, None]
                    for channels in (IMAGE_MEAN, IMAGE_STD)
                )
        return self._colours

    def _rotary_table(self, images: Tensor) -> RotaryTable:
        rows, columns = patch_grid(*images.shape[-2:])
        key = (rows, columns, images.device)

        def make() -> RotaryTable:
            # Kept beyond this call, so no part of an inference or of a gradient.
            with torch.inference_mode(False), torch.no_grad():
                return rotary_table(
                    rows, columns, self.config.special_tokens, self.config.head_dim, images.device
                )

        return self.tables.get(key, make)
