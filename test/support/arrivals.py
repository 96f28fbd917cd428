# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small made streams for methods of the dense cache: two heads of eight, seven tokens a frame."""

import torch

from benchmarks.methods.shipped import Room
from benchmarks.methods.tokens import Arrival, Tokens
from xstreamvggt_ros.cache import AttentionShape, FrameLayout

FRAME = FrameLayout(special_tokens=1, rows=2, columns=3)
SHAPE = AttentionShape(blocks=4, heads=2, head_dim=8)
ROOM = Room(slots=28, shape=SHAPE, frame=FRAME)


def new_frame(index, layer=0):
    """Give queries, keys and values (1, H, N, D) that no other index has."""
    generator = torch.Generator().manual_seed(1000 * layer + index)
    size = 3, 1, SHAPE.heads, FRAME.tokens, SHAPE.head_dim
    queries, keys, values = torch.randn(size, generator=generator)
    # Frames differ, and the cells of one are alike.
    return queries, keys + 0.3 * index, values * (1 + index % 3)


def arrival(method_held, index, layer=0):
    """Give what a method is told of the frame of that index."""
    queries, keys, values = (part[0] for part in new_frame(index, layer))
    return Arrival(
        queries=queries,
        keys=torch.cat([method_held.keys, keys.transpose(0, 1)]),
        values=torch.cat([method_held.values, values.transpose(0, 1)]),
        held=method_held,
        layer=layer,
        layers=SHAPE.blocks,
        newest=index,
        frame=FRAME,
    )


def empty():
    """Give a layer that holds nothing."""
    nothing, places = torch.empty(0, SHAPE.heads, SHAPE.head_dim), torch.empty(0).int()
    return Tokens(nothing, nothing, places, places, {})


def streamed(method, frames, layer=0):
    """Yield what a layer is told of each frame, and what it holds after it."""
    held = empty()
    for index in range(frames):
        told = arrival(held, index, layer)
        held = method.admit(told)
        yield told, held


def names(tokens):
    """Give the frame and grid index of each token."""
    return list(zip(tokens.frames.tolist(), tokens.grids.tolist(), strict=True))
