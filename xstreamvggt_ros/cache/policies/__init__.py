# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Eviction policies, by name."""

from xstreamvggt_ros.cache.policies.attention import AttentionValue, SnapKv
from xstreamvggt_ros.cache.policies.base import EvictionContext, MEAN_KEY, Policy, VALUE_SIZE
from xstreamvggt_ros.cache.policies.mixed import AttentionCoverage
from xstreamvggt_ros.cache.policies.query_key import QueryKey
from xstreamvggt_ros.cache.policies.similarity import FrameDiversity, KeyDiversity, TarVan
from xstreamvggt_ros.cache.policies.simple import Random, SinkRecent

POLICIES: dict[str, type[Policy]] = {
    'attention_coverage': AttentionCoverage,
    'attention_value': AttentionValue,
    'frame_diversity': FrameDiversity,
    'key_diversity': KeyDiversity,
    'query_key': QueryKey,
    'random': Random,
    'sink_recent': SinkRecent,
    'snapkv': SnapKv,
    'tar_van': TarVan,
}

__all__ = [
    'EvictionContext',
    'MEAN_KEY',
    'POLICIES',
    'Policy',
    'QueryKey',
    'SinkRecent',
    'VALUE_SIZE',
]
