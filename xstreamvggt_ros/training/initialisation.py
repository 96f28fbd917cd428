# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights to start training from."""

from __future__ import annotations

import math

import torch
from torch import nn, Tensor
from torch.nn import functional

from xstreamvggt_ros.images.patches import PATCH_SIZE
from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.model.aggregator import IMAGE_MEAN, IMAGE_STD
from xstreamvggt_ros.model.camera_head import ITERATIONS
from xstreamvggt_ros.model.layers import Attention, LayerScale
from xstreamvggt_ros.model.patch_encoder import DinoEncoder

LAYER_SCALE = 0.5
TOKEN_DEVIATION = 0.02
TYPICAL_FOV = 1.0
# Of sines of amplitude 1, beside patches of mean square 1.
POSITION_GAIN = 0.5
# Lets a token give itself about as much attention as all others of its frame together.
MATCHING_GAIN = 0.7
# Of normalised pixels; components that vary less are mostly noise.
LEAST_VARIANCE = 0.01


@torch.no_grad()
def initialise(model: StreamVGGT, seed: int) -> None:
    """
    Fill model with starting weights that follow from the seed.

    Linear layers and convolutions keep the variance. The aggregator's keys begin equal to its
    queries, so that alike patches attend to each other across frames (mimetic initialisation,
    arXiv 2305.09828). Dense heads begin at the unit depth and the camera head at the identity with
    a middling field of view, where the field's ReLU passes gradients.
    """
    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    for module in model.modules():
        _initialise_module(module)
    if isinstance(model.aggregator.patch_embed, DinoEncoder):
        _initialise_encoder(model.aggregator.patch_embed)
    for block in (*model.aggregator.frame_blocks, *model.aggregator.global_blocks):
        _match_keys_to_queries(block.attn)
    for name in ('camera_token', 'register_token'):
        nn.init.normal_(getattr(model.aggregator, name), std=TOKEN_DEVIATION)
    for head in (model.depth_head, model.point_head):
        nn.init.normal_(head.scratch.output_conv2[-1].weight, std=0.01)
    branch = model.camera_head.pose_branch.fc2
    nn.init.normal_(branch.weight, std=0.01)
    # The sum over the iterations is the identity quaternion and the typical field of view.
    branch.bias[6] = 1 / ITERATIONS
    branch.bias[7:] = TYPICAL_FOV / ITERATIONS
    torch.random.set_rng_state(state)


@torch.no_grad()
def even_out_patches(model: StreamVGGT, images: Tensor) -> None:
    """
    Begin the patch projection at principal components, evened out.

    images (F, 3, H, W) in [0, 1], as the network will see them. Neighbouring pixels are nearly
    equal, so a random projection of a patch says little but its mean colour. Here every channel is
    a component of its own, and the square root of its deviation is left to it: fine detail is
    heard, but not as loud as what is coarse. The mean square of a token is 1.
    """
    projection = _projection(model)
    mean, std = (images.new_tensor(values)[:, None, None] for values in (IMAGE_MEAN, IMAGE_STD))
    patches = functional.unfold((images - mean) / std, PATCH_SIZE, stride=PATCH_SIZE)
    patches = patches.transpose(1, 2).flatten(0, 1)
    mean = patches.mean(0)
    variances, axes = torch.linalg.eigh((patches - mean).T.cov())
    count = projection.out_channels
    kept = variances[-count:].clamp_min(0)
    gains = (kept + LEAST_VARIANCE) ** -0.25
    gains = gains / (kept * gains**2).mean().sqrt()
    weight = (axes[:, -count:] * gains).T
    projection.weight.copy_(weight.view_as(projection.weight))
    projection.bias.copy_(-weight @ mean)


def _projection(model: StreamVGGT) -> nn.Conv2d:
    encoder = model.aggregator.patch_embed
    return (encoder.patch_embed if isinstance(encoder, DinoEncoder) else encoder).proj


def _initialise_encoder(encoder: DinoEncoder) -> None:
    """Begin positions at sines and cosines, so that near patches begin alike."""
    for name in ('cls_token', 'register_tokens'):
        nn.init.normal_(getattr(encoder, name), std=TOKEN_DEVIATION)
    width = encoder.pos_embed.shape[-1]
    grid = torch.linspace(-1, 1, encoder.grid)
    # From a quarter of a turn over the image to one in four patches.
    rates = torch.pi * torch.logspace(-1, math.log2(encoder.grid / 4), width // 4, base=2)
    angles = grid[:, None] * rates
    axis = torch.cat([angles.sin(), angles.cos()], dim=-1)
    rows = axis[:, None].expand(-1, encoder.grid, -1)
    columns = axis[None].expand(encoder.grid, -1, -1)
    nn.init.zeros_(encoder.pos_embed)
    encoder.pos_embed[0, 1:] = POSITION_GAIN * torch.cat([rows, columns], dim=-1).flatten(0, 1)


def with_positions_of(model: StreamVGGT, state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Resize the encoder's positions in a state to the grid of the model, as images do."""
    name = 'aggregator.patch_embed.pos_embed'
    if name not in state or state[name].shape == model.state_dict()[name].shape:
        return state
    grid = model.aggregator.patch_embed.grid
    positions = state[name].float()
    side = math.isqrt(positions.shape[1] - 1)
    square = positions[:, 1:].unflatten(1, (side, side)).permute(0, 3, 1, 2)
    resized = functional.interpolate(square, (grid, grid), mode='bicubic', antialias=True)
    patches = resized.flatten(2).transpose(1, 2)
    return {**state, name: torch.cat([positions[:, :1], patches], dim=1)}


def _match_keys_to_queries(attention: Attention) -> None:
    queries, keys, _ = attention.qkv.weight.chunk(3)
    keys.copy_(queries)
    for norm in (attention.q_norm, attention.k_norm):
        nn.init.constant_(norm.weight, MATCHING_GAIN)


def _initialise_module(module: nn.Module) -> None:
    if isinstance(module, LayerScale):
        nn.init.constant_(module.gamma, LAYER_SCALE)
    elif isinstance(module, nn.Linear):
        nn.init.trunc_normal_(module.weight, std=module.in_features**-0.5)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        fan_in = module.in_channels * math.prod(module.kernel_size)
        if isinstance(module, nn.ConvTranspose2d):
            fan_in = module.in_channels
        nn.init.trunc_normal_(module.weight, std=fan_in**-0.5)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
