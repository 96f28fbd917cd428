# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pose and field of view from the camera token, refined in four iterations."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn, Tensor
from torch.nn import functional

from xstreamvggt_ros.model.layers import Attend, Block, Mlp
from xstreamvggt_ros.model.model_config import ModelConfig
from xstreamvggt_ros.ops.dispatch import fused

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
        self._least: Tensor | None = None

    def forward(self, camera_tokens: Tensor, attend: CameraAttend) -> list[Tensor]:
        """
        Turn camera tokens (B, S, 2C) into a pose encoding (B, S, 9) per iteration.

        The last one is the answer. What is fed back is the running sum before its activation; see
        geometry.decode_pose_encoding for the nine numbers.
        """
        if self._fuses(camera_tokens):
            return self._advance(camera_tokens, attend)
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

    def _fuses(self, camera_tokens: Tensor) -> bool:
        if not (fused(camera_tokens) and camera_tokens[..., 0].numel() == 1):
            return False
        from xstreamvggt_ros.ops.row import fits

        layers = (self.embed_pose, self.poseLN_modulation[1], self.trunk[0].attn.qkv)
        return camera_tokens.dtype == torch.float32 and all(fits(layer) for layer in layers)

    def _advance(self, camera_tokens: Tensor, attend: CameraAttend) -> list[Tensor]:
        """Do the same with one token by fused passes."""
        from xstreamvggt_ros.ops.residual_norm import residual_norm
        from xstreamvggt_ros.ops.row import modulate, row_linear

        _, tokens = residual_norm(camera_tokens, None, None, self.token_norm, torch.float32)
        tokens = tokens.flatten()
        normalised = functional.layer_norm(tokens, tokens.shape, eps=1e-6)
        state = self.empty_pose_tokens.flatten()
        # Apart by so much that each begins at a multiple of 16 bytes.
        states = tokens.new_empty(ITERATIONS, 4 * -(-POSE_ENCODING_DIM // 4))
        states = states[:, :POSE_ENCODING_DIM]
        for iteration in range(ITERATIONS):
            embedded = row_linear(state, self.embed_pose)
            modulation = row_linear(embedded, self.poseLN_modulation[1], silu=True)
            x = modulate(modulation, normalised, tokens)
            for index, block in enumerate(self.trunk):
                x = _advance_block(block, x, partial(attend, iteration, index))
            branch = self.pose_branch
            hidden = row_linear(x, branch.fc1, norm=self.trunk_norm, gelu=True)
            before = state if iteration else None
            state = row_linear(hidden, branch.fc2, residual=before, out=states[iteration])
        return list(torch.maximum(states, self._floor(tokens))[:, None, None].unbind())

    def _floor(self, tokens: Tensor) -> Tensor:
        """Return the least that each number of an encoding may be (9,), made once a device."""
        if self._least is None or self._least.device != tokens.device:
            with torch.inference_mode(False), torch.no_grad():
                least = torch.tensor([float('-inf')] * 7 + [0.0] * 2)
                self._least = least.to(tokens.device)
        return self._least

    def _run_trunk(self, x: Tensor, attend: CameraAttend, iteration: int) -> Tensor:
        for index, block in enumerate(self.trunk):

            def attend_frames(
                queries: Tensor, keys: Tensor, values: Tensor, index=index
            ) -> Tensor:
                return attend(iteration, index, queries, keys, values)

            x = block(x, attend_frames)
        return x


def _advance_block(block: Block, x: Tensor, attend: Attend) -> Tensor:
    """Run a block on one token (C,) by fused passes."""
    from xstreamvggt_ros.ops.row import row_linear

    qkv = row_linear(x, block.attn.qkv, norm=block.norm1)
    attended = attend(*qkv.view(3, 1, block.attn.num_heads, 1, -1))
    x = row_linear(attended.flatten(), block.attn.proj, residual=x, gain=block.ls1.gamma)
    hidden = row_linear(x, block.mlp.fc1, norm=block.norm2, gelu=True)
    return row_linear(hidden, block.mlp.fc2, residual=x, gain=block.ls2.gamma)


def _activate(state: Tensor) -> Tensor:
    return torch.cat([state[..., :7], functional.relu(state[..., 7:])], dim=-1)
