# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Schemes that round each token by itself, so that evicting one never touches another."""

from __future__ import annotations

import torch
from torch import Tensor

from xstreamvggt_ros.cache.codecs.affine import quantise
from xstreamvggt_ros.cache.codecs.base import Codec
from xstreamvggt_ros.cache.codecs.unpacking import unpack_into
from xstreamvggt_ros.cache.packing import pack
from xstreamvggt_ros.cache.rows import Rows, RowSpec


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

    def read(self, out: Tensor) -> None:
        """Write what the first T slots hold into out (T, H, D)."""
        self._read(out, channels=None)

    def _read(self, out: Tensor, channels: tuple[Tensor, Tensor] | None) -> None:
        codes, minimum, step = (self.rows[name][: len(out)] for name in self._specs)
        unpack_into(out, codes, minimum, step, self.bits, channels)


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

    def write(self, slots: Tensor, tokens: Tensor) -> None:
        """Store tokens (N, H, D) in slots (N,); the first call freezes the channels' factors."""
        self._freeze(tokens)
        super().write(slots, (tokens.float() - self._offset.float()) / self._gain.float())

    def read(self, out: Tensor) -> None:
        """Write what the first T slots hold into out (T, H, D)."""
        self._read(out, channels=(self._gain, self._offset))

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
