# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The compressed key-value cache: torch alone; it knows shapes, not the network's layers."""

from xstreamvggt_ros.cache.budget import BudgetTooSmall
from xstreamvggt_ros.cache.cache_config import BUDGETS, CacheConfig, SETTINGS
from xstreamvggt_ros.cache.layout import AttentionShape, FrameLayout, StreamLayout
from xstreamvggt_ros.cache.stats import CacheStats, LayerStats
from xstreamvggt_ros.cache.stream_cache import StreamCache

__all__ = [
    'AttentionShape',
    'BUDGETS',
    'BudgetTooSmall',
    'CacheConfig',
    'CacheStats',
    'FrameLayout',
    'LayerStats',
    'SETTINGS',
    'StreamCache',
    'StreamLayout',
]
