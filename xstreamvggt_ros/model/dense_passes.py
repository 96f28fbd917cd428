# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A dense head's convolutions with all that lies between them fused, as CUDA runs them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import nn, Tensor
from torch.nn import functional

from xstreamvggt_ros.ops.maps import finish, give, resize
from xstreamvggt_ros.ops.residual_norm import residual_norm

if TYPE_CHECKING:
    from xstreamvggt_ros.model.dense_head import DenseHead, FusionBlock

# Shape (C, h, w) of a map to its position tables, see ops.maps.finish.
Axes = Callable[[tuple[int, int, int]], tuple[Tensor, Tensor]]


def raw_maps(
    head: DenseHead, features: dict[int, Tensor], grid: tuple[int, int], size: tuple[int, int],
    axes: Axes,
) -> Tensor:  # fmt: skip
    """
    Do what `head` does with the features {pair: (1, N, 2C)} of one image, fp32.

    grid: rows and columns of patches, size: height and width of the raw maps.
    """
    pyramid = []
    for tap, project, layer in zip(head.taps, head.projects, head.resize_layers, strict=True):
        patches = features[tap][:, head.special_tokens :]
        _, tokens = residual_norm(patches, None, None, head.norm, project.weight.dtype)
        maps = _mixed(tokens.unflatten(1, grid).permute(0, 3, 1, 2), project)
        maps = finish(maps, axes=axes(tuple(maps.shape[1:])))
        pyramid.append(_resized(layer, maps))
    parts = head.scratch
    narrow = [
        _convolved(conv, maps)
        for conv, maps in zip(
            (parts.layer1_rn, parts.layer2_rn, parts.layer3_rn, parts.layer4_rn),
            pyramid,
            strict=True,
        )
    ]
    fused = _fused(parts.refinenet4, narrow[3], None, narrow[2].shape[-2:])
    fused = _fused(parts.refinenet3, fused, narrow[2], narrow[1].shape[-2:])
    fused = _fused(parts.refinenet2, fused, narrow[1], narrow[0].shape[-2:])
    fused = _fused(
        parts.refinenet1, fused, narrow[0], tuple(2 * side for side in narrow[0].shape[-2:])
    )
    fused = _convolved(parts.output_conv1, fused)
    # Resizing leaves a bias as it is, so it is added after.
    large = axes((fused.shape[1], *size))
    fused = resize(fused, size, parts.output_conv1.bias, large)
    refine, _, last = parts.output_conv2
    return give(_convolved(refine, fused), refine.bias, last.weight, last.bias)


def _fused(
    block: FusionBlock, coarse: Tensor, skip: Tensor | None, size: tuple[int, int]
) -> Tensor:  # fmt: skip
    """Add a finer map to a coarser one, refine and resize."""
    if skip is None:
        rectified = functional.relu(coarse)
    else:
        beside = functional.relu(skip)
        inner = _inner(block.resConfUnit1, beside)
        bias = block.resConfUnit1.conv2.bias
        rectified = finish(inner, bias, beside, coarse, rectify=True)
    inner = _inner(block.resConfUnit2, rectified)
    refined = finish(inner, block.resConfUnit2.conv2.bias, rectified)
    return _mixed(resize(refined, tuple(size)), block.out_conv)


def _inner(unit: nn.Module, rectified: Tensor) -> Tensor:
    """Run a residual unit's two convolutions, the second without its bias."""
    inner = _convolved(unit.conv1, rectified)
    return _convolved(unit.conv2, finish(inner, unit.conv1.bias, rectify=True))


def _resized(layer: nn.Module, maps: Tensor) -> Tensor:
    """Run one of the layers that bring the taps to their sizes."""
    if isinstance(layer, nn.Identity):
        return maps
    if isinstance(layer, nn.ConvTranspose2d):
        larger = functional.conv_transpose2d(maps, layer.weight, None, layer.stride)
        return finish(_last(larger), layer.bias)
    return finish(_convolved(layer, maps), layer.bias)


def _convolved(conv: nn.Conv2d, maps: Tensor) -> Tensor:
    """Convolve without the bias, which cuDNN adds in a pass of its own."""
    return _last(functional.conv2d(maps, conv.weight, None, conv.stride, conv.padding))


def _mixed(maps: Tensor, conv: nn.Conv2d) -> Tensor:
    """Run a 1 x 1 convolution as the product of matrices that it is, channels last."""
    rows = maps.permute(0, 2, 3, 1)
    return functional.linear(rows, conv.weight.flatten(1), conv.bias).permute(0, 3, 1, 2)


def _last(maps: Tensor) -> Tensor:
    """Lay maps out channels last, as cuDNN gives them."""
    if maps.is_meta:
        return torch.empty_like(maps, memory_format=torch.channels_last)
    return maps.contiguous(memory_format=torch.channels_last)
