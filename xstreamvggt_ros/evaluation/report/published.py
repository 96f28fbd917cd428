# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Figures that the papers published, where they are known; blank elsewhere, never estimated.

XStreamVGGT (arXiv 2601.01204) with 2,048 tokens and 4 bits, and StreamVGGT as it has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from xstreamvggt_ros.cache import CacheConfig
from xstreamvggt_ros.evaluation.protocol import Protocol
from xstreamvggt_ros.evaluation.run_config import RunConfig
from xstreamvggt_ros.model import ModelConfig

STREAM, XSTREAM, PRUNED = 'StreamVGGT', 'XStreamVGGT', 'XStreamVGGT, pruning only'
SHORT, LONG = 'short paper', 'long paper, through notes on it'
INDEPENDENT = 'an independent run, RTX 4090D'


@dataclass(frozen=True)
class Published:
    """A figure of a data set by a method, and where it is from; value as `scoring` has it."""

    dataset: str
    figure: str
    method: str
    value: float
    source: str


def _pair(
    dataset: str, figure: str, stream: float, xstream: float, source: str
) -> tuple[Published, ...]:
    return (
        Published(dataset, figure, STREAM, stream, source),
        Published(dataset, figure, XSTREAM, xstream, source),
    )


# Depth of KITTI is that of videos, as that of a memory has to be.
PUBLISHED = (
    *_pair('7scenes', 'accuracy_mean', 0.132, 0.142, f'{LONG}, table 3'),
    *_pair('7scenes', 'normal_consistency_mean', 0.749, 0.734, SHORT),
    *_pair('neural_rgbd', 'completeness_median', 0.038, 0.038, SHORT),
    *_pair('scannet', 'ate_rmse', 0.160, 0.171, f'{LONG}, table 4'),
    *_pair('kitti_raw', 'depth_median_abs_rel', 0.198, 0.206, f'{LONG}, table 7'),
    *_pair('kitti_raw', 'depth_median_delta', 0.690, 0.639, f'{LONG}, table 7'),
    *_pair('bonn', 'depth_median_abs_rel', 0.058, 0.077, f'{SHORT}, table 4'),
    Published('bonn', 'depth_median_delta', XSTREAM, 0.971, f'{SHORT}, table 4'),
    Published('bonn', 'depth_median_abs_rel', PRUNED, 0.067, f'{LONG}, table 7'),
    Published('bonn', 'depth_median_delta', PRUNED, 0.949, f'{LONG}, table 7'),
    Published('bonn', 'depth_median_abs_rel', XSTREAM, 0.073, f'{LONG}, table 7'),
    Published('bonn', 'depth_median_delta', XSTREAM, 0.943, f'{LONG}, table 7'),
    *_pair('bonn', 'depth_median_abs_rel', 0.0585, 0.0637, INDEPENDENT),
    *_pair('kitti_raw', 'depth_median_abs_rel', 0.1725, 0.1870, INDEPENDENT),
    *_pair('sintel', 'depth_median_abs_rel', 0.3242, 0.3406, INDEPENDENT),
    *_pair('bonn', 'frames_per_second', 3.09, 5.73, INDEPENDENT),
    *_pair('kitti_raw', 'frames_per_second', 5.25, 6.14, INDEPENDENT),
    *_pair('sintel', 'frames_per_second', 6.48, 6.26, INDEPENDENT),
)
# Which tokens XStreamVGGT keeps, and in how many bits.
PUBLISHED_CACHE = CacheConfig.published()
PRESET = 'streamvggt'
PRESET_SIZE = ModelConfig.preset(PRESET).image_size
# What of a cache makes it no other method.
NO_MATTER = ('scheme', 'strict_budget', 'camera_budget_frames', 'camera_cache', 'seed')
CLOUD = ('accuracy_', 'completeness_', 'normal_')
# What of a protocol bears on a figure, by the beginning of its name.
BEARING = {
    'depth_': ('max_depth', 'per'),
    **dict.fromkeys(CLOUD, ('points', 'max_points')),
}
USUAL = Protocol()
# Every how many-th frame the table of a data set takes, and at most how many (0: all), as in the
# commands of docs/evaluation.md.
FRAMES = {
    '7scenes': (200, 0),
    'neural_rgbd': (500, 0),
    'scannet': (3, 90),
    'kitti_raw': (1, 110),
    'bonn': (1, 110),
    'sintel': (1, 0),
}


def method_of(config: RunConfig) -> str:
    """
    Name the published method that a run is one of, '' where it is none's.

    It is the papers' network with trained weights at their image size, which remembers every
    frame that it is given, and their cache.
    """
    every = config.keyframe_threshold is None
    every = every and (config.mode == 'exact' or config.queue == 'every')
    network = config.preset == PRESET and not config.random_weights
    if not (every and network and config.network_size == PRESET_SIZE):
        return ''
    if config.is_reference:
        return STREAM
    kept = replace(
        PUBLISHED_CACHE,
        bits=config.cache.bits,
        value_bits=config.cache.value_bits,
        # Keys per channel and values per token are the papers', in either scheme, and a budget
        # that is kept to differs where two frames exceed it alone.
        **{name: getattr(config.cache, name) for name in NO_MATTER},
    )
    if config.budget_share is not None or kept != config.cache:
        return ''
    return {(4, 4): XSTREAM, (16, 16): PRUNED}.get(config.stored_bits, '')


def replayed_alike(dataset: str, figure: str, config: RunConfig) -> bool:
    """
    Tell whether a run was given what a published figure is of.

    Those are the frames that the data set's table takes, as they are and without a calibration;
    points of clouds are the network's own.
    """
    frames = FRAMES.get(dataset) == (config.stride, config.max_frames)
    points = config.point_source == 'pointmap' or not figure.startswith(CLOUD)
    return frames and points and not config.camera_info


def scored_alike(figure: str, protocol: Mapping[str, object]) -> bool:
    """Tell whether a run's protocol is the usual one in what bears on a figure."""
    bearing = next((names for start, names in BEARING.items() if figure.startswith(start)), ())
    return all(protocol[name] == getattr(USUAL, name) for name in bearing)


def published(dataset: str, figure: str, method: str) -> tuple[Published, ...]:
    """Find what was published of a figure."""
    wanted = (dataset, figure, method)
    return tuple(each for each in PUBLISHED if (each.dataset, each.figure, each.method) == wanted)
