# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frame-causal attention that trains fast: one masked call for a whole sequence."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


class MaskedCausal:
    """
    Memory of a whole sequence at once, as model.network.FrameCausal but with masks.

    On a GPU one fused call stands for one per frame. On a CPU two matrix products and a softmax
    are faster forth and back than fused attention, and the same graph serves any number of frames.
    """

    def __init__(self, frames: int, tokens: int, device: torch.device, fused: bool) -> None:
        """Take the number of frames and of tokens in each."""
        order = torch.arange(frames, device=device)
        self._frames = _hide(order)
        self._tokens = _hide(order[:, None].expand(-1, tokens).flatten())
        self._attend = _fused if fused else _by_products

    def attend_global(self, layer: int, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend (B, H, S * N, D), each token to those of its frame and of the earlier ones."""
        return self._attend(queries, keys, values, self._tokens)

    def attend_camera(
        self, iteration: int, block: int, queries: Tensor, keys: Tensor, values: Tensor
    ) -> Tensor:
        """Attend (B, H, S, D), each frame to itself and the earlier ones."""
        return self._attend(queries, keys, values, self._frames)


def _by_products(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    scores = (queries * queries.shape[-1] ** -0.5) @ keys.transpose(-1, -2)
    return (scores + mask.to(scores.dtype)).softmax(-1).to(values.dtype) @ values


def _fused(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
    # Under autocast only values come in half precision.
    queries, keys, mask = (part.to(values.dtype) for part in (queries, keys, mask))
    return functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)


def _hide(frame: Tensor) -> Tensor:
    """Return what to add to scores (queries, keys): -inf where the key's frame is later."""
    later = frame[None] > frame[:, None]
    nothing = torch.zeros(later.shape, device=frame.device, dtype=torch.bfloat16)
    return nothing.masked_fill_(later, float('-inf'))
