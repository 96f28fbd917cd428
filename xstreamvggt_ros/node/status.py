# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the stream goes, gathered for /diagnostics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xstreamvggt_ros.cache import CacheStats
from xstreamvggt_ros.guard import GuardReport
from xstreamvggt_ros.intake.counters import CameraCounts, Counts
from xstreamvggt_ros.messages.diagnostics import StreamFigures
from xstreamvggt_ros.model import ModelConfig
from xstreamvggt_ros.model.camera_head import ITERATIONS
from xstreamvggt_ros.parameters import Parameters
from xstreamvggt_ros.pipeline import Reconstruction
from xstreamvggt_ros.scale import ScaleState
from xstreamvggt_ros.stream.loading import choose_device, choose_dtype

# The camera head keeps its precision whatever the rest runs in.
CAMERA_ITEM_SIZE = 4


@dataclass(frozen=True)
class FrameFigures:
    """
    What is reported of the newest frame.

    image_shape: (height, width) of the image as the network saw it, (0, 0) before the first.
    focal_predicted, focal_calibrated: in pixels of that image along x, the latter None where
    predicted intrinsics are used.
    """

    image_shape: tuple[int, int] = (0, 0)
    focal_predicted: float | None = None
    focal_calibrated: float | None = None


def frame_figures(reconstruction: Reconstruction) -> FrameFigures:
    """Take from a frame what is reported of it."""
    calibrated = float(reconstruction.intrinsics[0, 0]) if reconstruction.calibrated else None
    return FrameFigures(
        reconstruction.depth.shape,
        float(reconstruction.predicted_intrinsics[0, 0]),
        calibrated,
    )


def stream_figures(
    parameters: Parameters,
    counts: Counts,
    stats: CacheStats,
    newest: FrameFigures,
    last_error: str = '',
    report: GuardReport | None = None,
    scale: ScaleState | None = None,
    streams: int = 0,
    transforms: str | None = None,
) -> StreamFigures:
    """
    Gather what the node reports.

    `newest` is of the newest frame. `last_error` says why the newest image gave nothing, empty if
    it gave something. `report` is what the guard says of the stream, None before a frame.
    `scale` is what is known of the scale. `streams` is how many have begun.
    `transforms` says which of the robot's are missing, '' if none, None where none is wanted.
    """
    device = choose_device(parameters.model.device)
    dtype = choose_dtype(parameters.model.dtype, device)
    level = 'ok' if report is None else report.level
    median, late = _percentiles_ms(counts.latencies)
    tokens, size = unbounded_growth(parameters.model.config, newest.image_shape, dtype.itemsize)
    return StreamFigures(
        frames_in=counts.received,
        frames_processed=counts.processed,
        frames_dropped=counts.dropped,
        lost_in_transport=counts.lost,
        streams=streams,
        latency_p50_ms=median,
        latency_p95_ms=late,
        cache_layers=len(stats.layers),
        cache_tokens=stats.tokens,
        cache_tokens_per_layer=max((layer.tokens for layer in stats.layers), default=0),
        cache_budget_tokens=stats.layers[0].budget if stats.layers else None,
        cache_bytes=stats.bytes,
        cache_unbounded_tokens=stats.steps * tokens,
        cache_unbounded_bytes=stats.steps * size,
        cache_evictions=stats.evictions,
        weights=_weights(parameters),
        device=str(device),
        dtype=str(dtype).removeprefix('torch.'),
        last_error=last_error or (str(report) if level == 'error' else ''),
        warnings=(*parameters.warnings(), *_warnings(report, scale), *_lacking(transforms)),
        details={
            **_cameras(parameters.input.names, counts),
            **_focal_lengths(newest),
            **_watch(report),
            **_scale(parameters, scale),
            **({} if transforms is None else {'transforms': transforms or 'ok'}),
        },
    )


def unbounded_growth(
    config: ModelConfig, image_shape: tuple[int, int], item_size: int
) -> tuple[int, int]:
    """
    Count the tokens and bytes by which a cache without a budget would grow with every frame.

    Tokens are those of all global blocks, whose keys and values take `item_size` bytes a number.
    The bytes are theirs and the camera head's: one token a refinement in each of its blocks,
    which are twice as wide. An image shape of (0, 0) grows nothing.
    """
    if not all(image_shape):
        return 0, 0
    tokens = config.depth * config.tokens_per_frame(*image_shape)
    camera_tokens = config.camera_depth * ITERATIONS
    size = tokens * config.embed_dim * item_size
    camera_size = camera_tokens * 2 * config.embed_dim * CAMERA_ITEM_SIZE
    return tokens, 2 * (size + camera_size)


def _cameras(names: tuple[str, ...], counts: Counts) -> dict[str, str]:
    """Count the frames of each of several cameras."""
    found = {}
    if len(names) > 1:
        for index, name in enumerate(names):
            camera = counts.cameras.get(index, CameraCounts())
            found[f'{name}/frames_in'] = str(camera.received)
            found[f'{name}/frames_processed'] = str(camera.processed)
            found[f'{name}/frames_dropped'] = str(sum(camera.dropped.values()))
            for reason, count in sorted(camera.dropped.items()):
                found[f'{name}/dropped_{reason}'] = str(count)
    return found


def _focal_lengths(newest: FrameFigures) -> dict[str, str]:
    """Compare the predicted focal length with the calibrated one."""
    predicted, calibrated = newest.focal_predicted, newest.focal_calibrated
    off = '' if calibrated is None else f'{100 * (predicted / calibrated - 1):+.1f}'
    return {
        'intrinsics': 'predicted' if calibrated is None else 'camera_info',
        'focal_length_predicted_px': '' if predicted is None else f'{predicted:.1f}',
        'focal_length_camera_info_px': '' if calibrated is None else f'{calibrated:.1f}',
        'focal_length_predicted_off_percent': off,
    }


def _watch(report: GuardReport | None) -> dict[str, str]:
    if report is None:
        return {}
    return {
        'watch': str(report),
        'watch_action': report.action,
        'watch_world': str(report.world),
        'watch_segment': str(report.segment),
    }


def _warnings(report: GuardReport | None, scale: ScaleState | None) -> list[str]:
    found = []
    if report is not None and report.level == 'warn':
        found.append(f'watch: {report}')
    if scale is not None and not scale.settled:
        found.append(f'up to scale: {scale.reason}')
    return found


def _lacking(transforms: str | None) -> list[str]:
    return [transforms] if transforms else []


def _scale(parameters: Parameters, scale: ScaleState | None) -> dict[str, str]:
    if scale is None:
        return {}
    given = scale.source == 'parameter'
    return {
        'scale': f'{parameters.output.scale if given else scale.scale:.6g}',
        'scale_source': scale.source,
        'scale_settled': str(scale.settled).lower(),
        'scale_spread_percent': '' if scale.spread is None else f'{100 * scale.spread:.1f}',
        'scale_samples': str(scale.samples),
    }


def _weights(parameters: Parameters) -> str:
    if parameters.random_weights:
        return 'random'
    return f'trained {parameters.model.checkpoint or "bundled"}'


def _percentiles_ms(seconds: tuple[float, ...]) -> tuple[float | None, float | None]:
    if not seconds:
        return None, None
    median, late = 1e3 * np.percentile(seconds, [50, 95])
    return float(median), float(late)
