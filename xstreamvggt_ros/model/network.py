# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""StreamVGGT: frame-wise causal VGGT (arXiv 2507.11539), by frames or whole sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn, Tensor
from torch.nn import functional

from xstreamvggt_ros.model.aggregator import Aggregator
from xstreamvggt_ros.model.camera_head import CameraHead
from xstreamvggt_ros.model.dense_head import DenseHead, depth_from_raw, points_from_raw
from xstreamvggt_ros.model.float8 import FLOAT8, Float8Linear, fuse_gelu
from xstreamvggt_ros.model.model_config import ModelConfig
from xstreamvggt_ros.model.narrow import can_pack, HalfLinear, Int8Linear, replace_linears
from xstreamvggt_ros.model.tables import KeptTables


class Memory(Protocol):
    """What the network attends to beside the tokens at hand."""

    def global_room(self, layer: int, tokens: int) -> tuple[Tensor, Tensor] | None:
        """
        Say where keys and values (tokens, H, D) of a global block are wanted; None: anywhere.

        Whoever asks writes them there, and has them attended next.
        """

    def attend_global(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend (B, H, N, D) of a global block to what is remembered and to itself."""

    def attend_camera(
        self, iteration: int, block: int, queries: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        """Attend (B, H, S, D) of a trunk block of the camera head likewise."""


@dataclass(frozen=True)
class Predictions:
    """
    What the network says of S frames, batch B first.

    pose_encodings: one (B, S, 9) per refinement iteration, the last one the answer.
    depth, depth_confidence: (B, S, H, W). points: (B, S, H, W, 3) in the world and
    points_confidence (B, S, H, W), None where the point head was not asked for.
    """

    pose_encodings: list[Tensor]
    depth: Tensor
    depth_confidence: Tensor
    points: Tensor | None
    points_confidence: Tensor | None


class StreamVGGT(nn.Module):
    """The network; its state_dict has the published checkpoint's names, less `track_head`."""

    def __init__(self, config: ModelConfig) -> None:
        """Build with untrained weights, on the CPU in fp32 unless torch says otherwise."""
        super().__init__()
        self.config = config
        self.aggregator = Aggregator(config)
        self.camera_head = CameraHead(config)
        self.point_head = DenseHead(config, outputs=4)
        self.depth_head = DenseHead(config, outputs=2)

    def forward(self, images: Tensor, point_head: bool = True) -> Predictions:
        """
        Run whole sequences (B, S, 3, H, W), each frame seeing itself and the frames before it.

        This is what training runs and what streaming with an unbounded cache equals, the camera
        head with one list per iteration.
        """
        return self.advance(images, FrameCausal(images.shape[1]), True, point_head)

    def advance(
        self, images: Tensor, memory: Memory, first: bool, point_head: bool = True
    ) -> Predictions:
        """
        Run the next frames (B, S, 3, H, W) of streams whose past is in `memory`.

        `first`: images[:, 0] is the first frame of its stream.
        """
        last = self.config.depth - 1
        taps = {last, *self.config.dpt_layers}
        features = self.aggregator(images, memory.attend_global, first, taps, memory.global_room)
        camera_tokens = features[last][:, :, 0].to(self.camera_head.empty_pose_tokens.dtype)
        encodings = self.camera_head(camera_tokens, memory.attend_camera)
        depth, depth_confidence = depth_from_raw(_per_frame(self.depth_head, features, images))
        points = points_confidence = None
        if point_head:
            points, points_confidence = points_from_raw(
                _per_frame(self.point_head, features, images)
            )
        return Predictions(encodings, depth, depth_confidence, points, points_confidence)

    def kept_tables(self) -> list[object]:
        """Return what the frames so far were computed with beside weights, of the last sizes."""
        tables = (getattr(part, 'tables', None) for part in self.modules())
        return [each.kept() for each in tables if isinstance(each, KeptTables)]

    @property
    def dtype(self) -> torch.dtype:
        """The precision in which keys and values arrive at the memory."""
        return self.aggregator.dtype or self.aggregator.camera_token.dtype

    def set_precision(self, dtype: torch.dtype) -> StreamVGGT:
        """
        Hold the large weights in `dtype`, once: fp32, bf16, int8, e4m3. Returns the model itself.

        int8 and e4m3 are for the MLPs, which have most of them: with any of the latter three,
        attention and its projections, the dense heads' convolutions and the camera head's weights
        are bf16. Tokens
        between the layers, norms and what makes the outputs stay fp32; docs/performance.md says
        what this changes.
        """
        if dtype == torch.float32:
            return self
        kind = {torch.int8: Int8Linear, FLOAT8: Float8Linear}.get(dtype, HalfLinear)
        self.aggregator.set_precision(kind, HalfLinear, torch.bfloat16)
        fuse_gelu(self.aggregator)
        for part in (self.camera_head.trunk, self.camera_head.poseLN_modulation):
            replace_linears(part, HalfLinear)
        for head in (self.depth_head, self.point_head):
            head.set_precision(torch.bfloat16)
        return self

    def pack(self) -> StreamVGGT:
        """
        Order bf16 weights as the processor multiplies them, on a CPU that does. Returns the model.

        A packed model stays on the CPU and cannot be copied. The camera head is left as it is: it
        has one token a frame.
        """
        if self.aggregator.camera_token.device.type == 'cpu' and can_pack():
            self.aggregator.pack()
        return self


class FrameCausal:
    """Memory of a whole sequence at once: frame s attends to the frames up to s."""

    def __init__(self, frames: int) -> None:
        """Take the number of frames that the tokens divide into."""
        self.frames = frames

    def global_room(self, layer: int, tokens: int) -> None:
        """Want keys and values nowhere in particular."""
        return None

    def attend_global(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend (B, H, S * N, D) frame by frame, which needs no mask of (S * N) squared."""
        per_frame = queries.shape[-2] // self.frames
        attended = [
            functional.scaled_dot_product_attention(
                query,
                keys[..., : (index + 1) * per_frame, :],
                values[..., : (index + 1) * per_frame, :],
            )
            for index, query in enumerate(queries.split(per_frame, dim=-2))
        ]
        return torch.cat(attended, dim=-2)

    def attend_camera(
        self, iteration: int, block: int, queries: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        """Attend (B, H, S, D) causally, each iteration apart from the others."""
        return functional.scaled_dot_product_attention(queries, keys, values, is_causal=True)


def _per_frame(head: DenseHead, features: dict[int, Tensor], images: Tensor) -> Tensor:
    """Run a dense head on each frame by itself: raw maps (B, S, outputs, H, W)."""
    flat = {pair: feature.flatten(0, 1) for pair, feature in features.items()}
    return head(flat, *images.shape[-2:]).unflatten(0, images.shape[:2])
