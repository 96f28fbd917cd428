# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Dense prediction from four tapped features: DPT (arXiv 2103.13413) with image-grid positions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
import math

import torch
from torch import nn, Tensor
from torch.nn import functional

from xstreamvggt_ros.images.patches import patch_grid
from xstreamvggt_ros.model.model_config import ModelConfig
from xstreamvggt_ros.model.narrow import cast
from xstreamvggt_ros.model.tables import KeptTables
from xstreamvggt_ros.ops.dispatch import fused

POSITION_GAIN = 0.1
POSITION_BASE = 100.0
OUTPUT_FEATURES = 32


class ResidualConvUnit(nn.Module):
    """Two 3 x 3 convolutions beside a skip that carries the rectified input."""

    def __init__(self, features: int) -> None:
        """Build for maps of that many channels."""
        super().__init__()
        self.conv1 = nn.Conv2d(features, features, 3, padding=1)
        self.conv2 = nn.Conv2d(features, features, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, F, h, w) to (B, F, h, w)."""
        x = functional.relu(x)
        return self.conv2(functional.relu(self.conv1(x))) + x


class FusionBlock(nn.Module):
    """Add a finer map to a coarser one, refine and resize."""

    def __init__(self, features: int, has_skip: bool) -> None:
        """Build for maps of that many channels, with or without a finer map to add."""
        super().__init__()
        self.out_conv = nn.Conv2d(features, features, 1)
        if has_skip:
            self.resConfUnit1 = ResidualConvUnit(features)
        self.resConfUnit2 = ResidualConvUnit(features)

    def forward(self, coarse: Tensor, skip: Tensor | None, size: Sequence[int]) -> Tensor:
        """Map (B, F, h, w), and a skip of the same shape, to (B, F, *size)."""
        if skip is not None:
            coarse = coarse + self.resConfUnit1(skip)
        return self.out_conv(_resize(self.resConfUnit2(coarse), size))


class Fusion(nn.Module):
    """The convolutions that fuse the pyramid; named as in the checkpoint."""

    def __init__(self, config: ModelConfig, outputs: int) -> None:
        """Build for the pyramid of config and that many output channels."""
        super().__init__()
        features = config.dpt_features
        for level, channels in enumerate(config.dpt_channels, start=1):
            conv = nn.Conv2d(channels, features, 3, padding=1, bias=False)
            self.add_module(f'layer{level}_rn', conv)
            self.add_module(f'refinenet{level}', FusionBlock(features, has_skip=level < 4))
        self.output_conv1 = nn.Conv2d(features, features // 2, 3, padding=1)
        self.output_conv2 = nn.Sequential(
            nn.Conv2d(features // 2, OUTPUT_FEATURES, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(OUTPUT_FEATURES, outputs, 1),
        )

    def forward(self, pyramid: Sequence[Tensor]) -> Tensor:
        """Fuse maps from fine to coarse, (B, channels, h, w), into (B, F / 2, 8h, 8w)."""
        x1 = self.layer1_rn(pyramid[0])
        x2 = self.layer2_rn(pyramid[1])
        x3 = self.layer3_rn(pyramid[2])
        x4 = self.layer4_rn(pyramid[3])
        fused = self.refinenet4(x4, None, x3.shape[-2:])
        fused = self.refinenet3(fused, x3, x2.shape[-2:])
        fused = self.refinenet2(fused, x2, x1.shape[-2:])
        fused = self.refinenet1(fused, x1, [2 * side for side in x1.shape[-2:]])
        return self.output_conv1(fused)


class DenseHead(nn.Module):
    """A map per pixel and its confidence, from patch tokens of four depths of the aggregator."""

    def __init__(self, config: ModelConfig, outputs: int) -> None:
        """Build with that many output channels, the last of them the confidence."""
        super().__init__()
        width, channels = 2 * config.embed_dim, config.dpt_channels
        self.taps = config.dpt_layers
        self.special_tokens = config.special_tokens
        self.norm = nn.LayerNorm(width)
        self.projects = nn.ModuleList(nn.Conv2d(width, count, 1) for count in channels)
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(channels[0], channels[0], 4, stride=4),
                nn.ConvTranspose2d(channels[1], channels[1], 2, stride=2),
                nn.Identity(),
                nn.Conv2d(channels[3], channels[3], 3, stride=2, padding=1),
            ]
        )
        self.scratch = Fusion(config, outputs)
        # Of an image size, by the shape of the map that they are added to.
        self.tables = KeptTables()
        self._narrow = False

    def forward(self, features: dict[int, Tensor], height: int, width: int) -> Tensor:
        """
        Turn features {pair: (B, N, 2C)} into raw maps (B, outputs, height, width).

        Raw means before the activation, see depth_from_raw and points_from_raw.
        """
        if self._fuses(features):
            from xstreamvggt_ros.model.dense_passes import raw_maps

            grid, size = patch_grid(height, width), (height, width)
            axes = partial(self._axes, size, features[self.taps[0]].device)
            return raw_maps(self, features, grid, size, axes)
        pyramid = []
        for tap, project, resize in zip(self.taps, self.projects, self.resize_layers, strict=True):
            tokens = self.norm(features[tap][:, self.special_tokens :].to(self.norm.weight.dtype))
            tokens = tokens.to(project.weight.dtype)
            grid = tokens.transpose(1, 2).unflatten(2, patch_grid(height, width))
            pyramid.append(resize(self._with_position(project(grid), (height, width))))
        merged = _resize(self.scratch(pyramid), (height, width))
        refine, rectify, give = self.scratch.output_conv2
        refined = rectify(refine(self._with_position(merged, (height, width))))
        return give(refined.to(give.weight.dtype))

    def set_precision(self, dtype: torch.dtype) -> None:
        """Hold all in `dtype` but the norm and the last layer, whose output goes through exp."""
        give = self.scratch.output_conv2[-1]
        self._narrow = True
        for part in (self.projects, self.resize_layers, self.scratch):
            cast(part, dtype, keep=give)
            part.to(memory_format=torch.channels_last)

    def _fuses(self, features: dict[int, Tensor]) -> bool:
        """Whether one image in reduced precision, whose maps are laid out so, is at hand."""
        feature = features[self.taps[0]]
        one = len(feature) == 1 and feature.dtype == torch.float32
        return one and self._narrow and fused(feature)

    def _axes(
        self, image_size: tuple[int, int], device: torch.device, shape: tuple[int, int, int]
    ) -> tuple[Tensor, Tensor]:
        """Return the position tables of a map (C, h, w), channels last."""
        dtype, last = self.projects[0].weight.dtype, torch.channels_last
        like = torch.empty(1, shape[0], 2, 2, dtype=dtype, device=device, memory_format=last)
        return self._tables(shape, like, image_size)

    def _with_position(self, maps: Tensor, image_size: tuple[int, int]) -> Tensor:
        """Add the embedding of the image grid."""
        x, y = self._tables(tuple(maps.shape[1:]), maps, image_size)
        if torch.is_grad_enabled():
            across, down = maps.chunk(2, dim=1)
            return torch.cat([across + x, down + y], dim=1)
        half = maps.shape[1] // 2
        maps[:, :half] += x
        maps[:, half:] += y
        return maps

    def _tables(
        self, shape: tuple[int, int, int], like: Tensor, image_size: tuple[int, int]
    ) -> tuple[Tensor, Tensor]:
        """
        Return the position tables of maps (C, h, w), laid out in memory as `like`.

        They are kept, as long as few other image sizes come.
        """
        tables = self.tables.get((image_size, like.device, like.dtype), dict)
        if shape not in tables:
            height, width = image_size
            # Kept beyond this call, so no part of an inference or of a gradient.
            with torch.inference_mode(False), torch.no_grad():
                axes = position_axes(*shape, width / height)
                x, y = (_laid_out_as(like, axis.to(like)[None]) for axis in axes)
                tables[shape] = (x, y)
        return tables[shape]


def position_axes(channels: int, rows: int, columns: int, aspect: float) -> tuple[Tensor, Tensor]:
    """
    Return 0.1 x the sin-cos embedding of a normalised image grid, double precision.

    `aspect` is width / height of the image. x spans the grid's columns and y its rows, on a
    rectangle with that aspect and a half diagonal of 1. Half the channels belong to each, the
    same in all rows or in all columns: (channels / 2, 1, columns) and (channels / 2, rows, 1).
    """
    half_width = aspect / math.hypot(aspect, 1)
    half_height = 1 / math.hypot(aspect, 1)
    x = _embedding(_centred(half_width, columns), channels // 4)
    y = _embedding(_centred(half_height, rows), channels // 4)
    return x[:, None, :], y[:, :, None]


def depth_from_raw(raw: Tensor) -> tuple[Tensor, Tensor]:
    """Turn raw maps (..., 2, H, W) into depth (..., H, W) along z and confidence, from 1 up."""
    depth, confidence = raw.exp().unbind(-3)
    return depth, 1 + confidence


def points_from_raw(raw: Tensor) -> tuple[Tensor, Tensor]:
    """Turn raw maps (..., 4, H, W) into world points (..., H, W, 3) and their confidence."""
    coordinates = raw[..., :3, :, :].movedim(-3, -1)
    return coordinates.sign() * torch.expm1(coordinates.abs()), 1 + raw[..., 3, :, :].exp()


def _laid_out_as(maps: Tensor, table: Tensor) -> Tensor:
    """Lay a table (1, C, ...) out in memory as maps are, so that they add up in runs."""
    if maps.is_contiguous():
        return table.contiguous()
    return table.contiguous(memory_format=torch.channels_last)


def _embedding(axis: Tensor, count: int) -> Tensor:
    """Return all sines, then all cosines of an axis (n,) at `count` frequencies, (2 count, n)."""
    frequencies = POSITION_BASE ** -(torch.arange(count, dtype=torch.float64) / count)
    angles = frequencies[:, None] * axis
    return POSITION_GAIN * torch.cat([angles.sin(), angles.cos()])


def _centred(half: float, count: int) -> Tensor:
    end = half * (count - 1) / count
    return torch.linspace(-end, end, count, dtype=torch.float64)


def _resize(maps: Tensor, size: Sequence[int]) -> Tensor:
    return functional.interpolate(maps, size=list(size), mode='bilinear', align_corners=True)
