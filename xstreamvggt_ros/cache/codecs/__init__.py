# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How keys and values are stored: one codec per scheme, each rounding a token exactly once."""

from __future__ import annotations

import torch

from xstreamvggt_ros.cache.cache_config import CacheConfig
from xstreamvggt_ros.cache.codecs.base import Codec
from xstreamvggt_ros.cache.codecs.grouped import GroupedCodec, TableSize
from xstreamvggt_ros.cache.codecs.plain import PlainCodec
from xstreamvggt_ros.cache.codecs.token import ChannelStaticCodec, TokenCodec

__all__ = ['Codec', 'key_codec', 'PlainCodec', 'value_codec']


def key_codec(
    config: CacheConfig, heads: int, head_dim: int, dtype: torch.dtype, frame_tokens: int
) -> Codec:
    """Build the codec of the keys that config asks for, for frames of that many tokens."""
    if config.bits == 16:
        return PlainCodec(heads, head_dim, dtype)
    if config.key_scheme == 'kcvt':
        return GroupedCodec(heads, head_dim, config.bits, frame_tokens, _table_size(config))
    return ChannelStaticCodec(heads, head_dim, config.bits)


def value_codec(config: CacheConfig, heads: int, head_dim: int, dtype: torch.dtype) -> Codec:
    """Build the codec of the values: per token and head in every scheme, as in KIVI."""
    if config.stored_value_bits == 16:
        return PlainCodec(heads, head_dim, dtype)
    return TokenCodec(heads, head_dim, config.stored_value_bits)


def _table_size(config: CacheConfig) -> TableSize:
    if not config.bounded:
        return TableSize.GROWING
    return TableSize.BOUNDED if config.strict_budget else TableSize.ELASTIC
