# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Schemes that round each token by itself, so that evicting one never touches another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor

from xstreamvggt_ros.cache.codecs.affine import quantise
from xstreamvggt_ros.cache.codecs.base import Codec
from xstreamvggt_ros.cache.packing import pack
from xstreamvggt_ros.cache.rows import Rows, RowSpec
from xstreamvggt_ros.ops.stored import Stored


class TokenCodec(Codec):
    """One fp16 minimum and step per token and head: KIVI's values (arXiv 2402.02750)."""

    def __init__(self, heads: int, head_dim: int, bits: int) -> None:
        """Describe tokens (H, D) at that many bits a number."""
        self.bits = bits
        self._specs = {
            'codes': RowSpec((heads, head_dim * bits // 8), torch.uint8),
            'minimum': RowSpec((heads, 1), torch.float16),
            'step': RowSpec((heads, 1), torch.float16),
        }

    def allocate(self, slots: int, device: torch.device) -> None:
        """Allocate the storage of that many slots."""
        self.rows = Rows(self._specs, slots, device)

    def write(self, slots: Tensor, tokens: Tensor) -> None:
        """Store tokens (N, H, D) in slots (N,), rounding them."""
        codes, minimum, step = quantise(tokens, self.bits, dim=-1)
        self.rows.write(slots, {'codes': pack(codes, self.bits), 'minimum': minimum, 'step': step})

    def stored(self) -> Stored:
        """Say how all slots are laid out."""
        codes, minimum, step = (self.rows[name] for name in self._specs)
        return Stored(codes, self.bits, minimum, step)


class ChannelStaticCodec(TokenCodec):
    """
    Take out each channel's offset and gain, frozen from the first frame, then round per token.

    Keys carry strong channel offsets and gains that hardly change over a stream; without them
    one minimum and step per token and head fits all channels.
    """

    def __init__(self, heads: int, head_dim: int, bits: int) -> None:
        """Describe tokens (H, D) at that many bits a number."""
        super().__init__(heads, head_dim, bits)
        self._channels = (heads, head_dim)

    def allocate(self, slots: int, device: torch.device) -> None:
        """Allocate the storage of that many slots, and of the channels' factors."""
        super().allocate(slots, device)
        self._offset = torch.zeros(self._channels, dtype=torch.float16, device=device)
        self._gain = torch.zeros(self._channels, dtype=torch.float16, device=device)
        self._frozen = torch.zeros((), dtype=torch.bool, device=device)
        # What the host knows of that without asking the device; loading sets only the latter.
        self._known_frozen = False

    def write(self, slots: Tensor, tokens: Tensor) -> None:
        """Store tokens (N, H, D) in slots (N,); the first call freezes the channels' factors."""
        self.prepare(tokens)
        super().write(slots, (tokens.float() - self._offset.float()) / self._gain.float())

    def prepare(self, tokens: Tensor) -> bool:
        """Freeze the channels' factors before the first tokens (N, H, D) are stored."""
        if not self._known_frozen:
            self._freeze(tokens)
        return super().prepare(tokens)

    def stored(self) -> Stored:
        """Say how all slots are laid out."""
        return replace(super().stored(), channels=(self._gain, self._offset))

    def clear(self) -> None:
        """Leave every slot as an empty one; the next frame's tokens freeze the factors."""
        super().clear()
        self._frozen.fill_(False)
        self._known_frozen = False

    def check(self, tensors: Mapping[str, Tensor], held: int) -> None:
        """Raise ValueError unless what is held was stored with factors that can be divided by."""
        frozen = bool(tensors['frozen'])
        if (held and not frozen) or (frozen and not bool((tensors['gain'] > 0).all())):
            raise ValueError('gain is no gain of the tokens that are held')

    def loaded(self) -> None:
        """Forget whether the factors are frozen: the tensor says it."""
        self._known_frozen = False

    def tensors(self) -> dict[str, Tensor]:
        """Return every tensor that persists, by name."""
        return {
            **super().tensors(),
            'offset': self._offset,
            'gain': self._gain,
            'frozen': self._frozen,
        }

    def _freeze(self, tokens: Tensor) -> None:
        """Take the factors from the first frame; without a branch, so that no device waits."""
        low, high = (end.float() for end in (tokens.amin(dim=0), tokens.amax(dim=0)))
        gain = ((high - low) / 2).clamp_min(torch.finfo(torch.float16).smallest_normal).half()
        self._offset.copy_(torch.where(self._frozen, self._offset, ((low + high) / 2).half()))
        self._gain.copy_(torch.where(self._frozen, self._gain, gain))
        self._frozen.fill_(True)
        self._known_frozen = True
