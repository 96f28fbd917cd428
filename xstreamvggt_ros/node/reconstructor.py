# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build the network that the parameters ask for."""

from __future__ import annotations

from xstreamvggt_ros.parameters import Parameters
from xstreamvggt_ros.stream import StreamingReconstructor
from xstreamvggt_ros.stream.loading import load_network


def build_reconstructor(parameters: Parameters) -> StreamingReconstructor:
    """
    Load the weights onto the device in the precision asked for, with an empty cache.

    Raises ValueError for a device that is not there, and what `load_checkpoint` raises.
    """
    choice = parameters.model
    model = load_network(
        choice.preset, choice.checkpoint, choice.revision, choice.device, choice.dtype
    )
    return StreamingReconstructor(
        model,
        parameters.cache,
        attention=choice.attention,
        cuda_graph=choice.cuda_graph,
        images_checked=True,
    )
