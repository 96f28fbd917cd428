# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pose and field of view from the camera token, refined in four iterations."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn, Tensor
from torch.nn import functional

from xstreamvggt_ros.model.layers import Block, Mlp
from xstreamvggt_ros.model.model_config import ModelConfig

# Iteration and trunk block index, then queries, keys, values (B, H, S, D), to attended values.
CameraAttend = Callable[[int, int, Tensor, Tensor, Tensor], Tensor]

ITERATIONS = 4
POSE_ENCODING_DIM = 9


class CameraHead(nn.Module):
    """Iterative regression of the pose encoding, modulated by the estimate so far."""

    def __init__(self, config: ModelConfig) -> None:
        """Build for camera tokens 2C wide."""
        super().__init__()
        width = 2 * config.embed_dim
        self.empty_pose_tokens = nn.Parameter(torch.zeros(1, 1, POSE_ENCODING_DIM))
        self.trunk = nn.ModuleList(
            Block(width, config.camera_heads) for _ in range(config.camera_depth)
        )
        self.token_norm = nn.LayerNorm(width)
        self.trunk_norm = nn.LayerNorm(width)
        self.embed_pose = nn.Linear(POSE_ENCODING_DIM, width)
        self.poseLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 3 * width))
        self.pose_branch = Mlp(width, width // 2, POSE_ENCODING_DIM)

    def forward(self, camera_tokens: Tensor, attend: CameraAttend) -> list[Tensor]:
        """
        Turn camera tokens (B, S, 2C) into a pose encoding (B, S, 9) per iteration.

        The last one is the answer. What is fed back is the running sum before its activation; see
        geometry.decode_pose_encoding for the nine numbers.
        """
        tokens = self.token_norm(camera_tokens)
        normalised = functional.layer_norm(tokens, tokens.shape[-1:], eps=1e-6)
        state = self.empty_pose_tokens.expand(*tokens.shape[:2], -1)
        encodings = []
        for iteration in range(ITERATIONS):
            shift, scale, gate = self.poseLN_modulation(self.embed_pose(state)).chunk(3, dim=-1)
            refined = gate * (normalised * (1 + scale) + shift) + tokens
            delta = self.pose_branch(self.trunk_norm(self._run_trunk(refined, attend, iteration)))
            state = state + delta if iteration else delta
            encodings.append(_activate(state))
        return encodings

    def _run_trunk(self, x: Tensor, attend: CameraAttend, iteration: int) -> Tensor:
        for index, block in enumerate(self.trunk):

            def attend_frames(
                queries: Tensor, keys: Tensor, values: Tensor, index=index
            ) -> Tensor:
                return attend(iteration, index, queries, keys, values)

            x = block(x, attend_frames)
        return x


def _activate(state: Tensor) -> Tensor:
    return torch.cat([state[..., :7], functional.relu(state[..., 7:])], dim=-1)
