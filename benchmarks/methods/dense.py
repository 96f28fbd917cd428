# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A cache for trials: floats, nothing packed, and a method that says what is in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.methods.shipped import Extra, Shipped
from benchmarks.methods.tokens import Arrival, Tokens
from xstreamvggt_ros.cache import CacheConfig, StreamLayout
from xstreamvggt_ros.cache.camera_ring import CameraRing
from xstreamvggt_ros.model import StreamVGGT
from xstreamvggt_ros.ops.attention import attend
from xstreamvggt_ros.ops.precision import exact_products
from xstreamvggt_ros.stream.frame import Frame, frame_from
from xstreamvggt_ros.stream.layout import stream_layout


class DenseCache:
    """
    The memory of a network (`model.network.Memory`) whose global blocks are a method's.

    The camera head's lists are those that ship. bytes: the most that the global blocks took after
    any frame, as they would be stored.
    """

    def __init__(self, layout: StreamLayout, method: Shipped) -> None:
        """Hold nothing yet."""
        self.layout = layout
        self.method = method
        self.camera = CameraRing(CacheConfig.recommended(), layout, torch.device('cpu'))
        self.steps = 0
        self.bytes = 0
        shape = layout.global_blocks
        nothing = torch.empty(0, shape.heads, shape.head_dim)
        places = torch.empty(0, dtype=torch.int32)
        empty = Tokens(nothing, nothing, places, places, {})
        self.held = [empty] * shape.blocks

    @contextmanager
    def frame(self) -> Iterator[None]:
        """Attend to one frame within."""
        with self.camera.frame(self.steps, True):
            yield
        self.steps += 1
        taken = sum(self.method.layer_bytes(layer, held) for layer, held in enumerate(self.held))
        self.bytes = max(self.bytes, taken)

    def global_room(self, layer: int, tokens: int) -> None:
        """Want keys and values nowhere in particular."""
        return None

    def attend_global(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend a frame's tokens (1, H, N, D) to what the layer holds and to each other."""
        held = self.held[layer]
        arrival = Arrival(
            queries=queries[0],
            keys=torch.cat([held.keys, keys[0].transpose(0, 1)]),
            values=torch.cat([held.values, values[0].transpose(0, 1)]),
            held=held,
            layer=layer,
            layers=len(self.held),
            newest=self.steps,
            frame=self.layout.frame,
        )
        attended = attend_all(arrival, self.method.extra(layer))
        self.held[layer] = self.method.admit(arrival)
        return attended[None]

    def attend_camera(self, iteration: int, block: int, *token: Tensor) -> Tensor:
        """Attend an iteration's camera token (1, H, 1, D) to its list and itself."""
        return self.camera.attend(self.steps, iteration, block, *(part[0] for part in token))[None]


def attend_all(arrival: Arrival, extra: Extra | None) -> Tensor:
    """Attend new tokens (H, N, D) to held ones, to each other, and to what a method has beside."""
    queries, keys, values = arrival.queries, arrival.keys, arrival.values
    if extra is None:
        return attend(queries[None], keys.transpose(0, 1)[None], values.transpose(0, 1)[None])[0]
    keys, values = torch.cat([keys, extra.keys]), torch.cat([values, extra.values])
    bias = torch.cat([keys.new_zeros(len(arrival.keys)), extra.bias])
    return functional.scaled_dot_product_attention(
        queries[None],
        keys.transpose(0, 1)[None],
        values.transpose(0, 1)[None],
        bias.expand(1, 1, queries.shape[1], -1),
    )[0]


@torch.inference_mode()
def reconstruct(
    model: StreamVGGT, images: Sequence[Tensor], method: Shipped
) -> tuple[list[Frame], DenseCache]:
    """Stream images (3, H, W) through a network whose memory is a method's."""
    height, width = images[0].shape[-2:]
    cache = DenseCache(stream_layout(model, height, width), method)
    answers = []
    with exact_products(model.dtype):
        for image in images:
            with cache.frame():
                first = cache.steps == 0
                predictions = model.advance(image[None, None], cache, first, point_head=False)
            answers.append(frame_from(predictions, height, width))
    return answers, cache
