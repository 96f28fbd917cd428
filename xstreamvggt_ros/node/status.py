# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How the stream goes, gathered for /diagnostics."""

from __future__ import annotations

import numpy as np
import torch

from xstreamvggt_ros.guard import GuardReport
from xstreamvggt_ros.intake.counters import CameraCounts, Counts, total_dropped
from xstreamvggt_ros.intake.recent import RECENT
from xstreamvggt_ros.messages.diagnostics import StreamFigures
from xstreamvggt_ros.model import ModelConfig
from xstreamvggt_ros.node.observed import FrameFigures, Observed, StreamState
from xstreamvggt_ros.parameters import Parameters
from xstreamvggt_ros.scale import ScaleState
from xstreamvggt_ros.stream import layout_of
from xstreamvggt_ros.stream.loading import choose_device, choose_dtype

# A calibrated focal length that differs so much from the predicted one is doubted.
SEVERAL_FOLD = 3.0


def stream_figures(parameters: Parameters, observed: Observed) -> StreamFigures:
    """Gather what the node reports, and judge it by what the last seconds were."""
    device = choose_device(parameters.model.device)
    dtype = choose_dtype(parameters.model.dtype, device)
    counts, stats, newest = observed.counts, observed.stats, observed.newest
    report, recent = observed.report, observed.recent
    level = 'ok' if report is None else report.level
    median, late = _percentiles_ms(counts.latencies)
    tokens, size = unbounded_growth(parameters.model.config, newest.image_shape, dtype)
    return StreamFigures(
        frames_in=counts.received,
        frames_processed=counts.processed,
        frames_dropped=counts.dropped,
        lost_in_transport=counts.lost,
        fps=recent.rate,
        streams=observed.stream.count,
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
        last_error=observed.last_error or (str(report) if level == 'error' else ''),
        failing=recent.failing or level == 'error',
        active=observed.active,
        warnings=tuple(_warnings(parameters, observed)),
        details={
            'seconds_since_image': _seconds(observed.silent_for),
            **_stream(observed.stream),
            **{word: str(count) for word, count in sorted(counts.remarks.items())},
            **_cameras(parameters.input.names, counts),
            **_focal_lengths(newest),
            **_watch(report),
            **_scale(parameters, observed.scale),
            **({} if observed.transforms is None else {'transforms': observed.transforms or 'ok'}),
        },
    )


def unbounded_growth(
    config: ModelConfig, image_shape: tuple[int, int], dtype: torch.dtype
) -> tuple[int, int]:
    """
    Count the tokens and bytes by which a cache without a budget would grow with every frame.

    The dtype is the network's. An image shape of (0, 0) grows nothing.
    """
    return layout_of(config, *image_shape, dtype).growth if all(image_shape) else (0, 0)


def _cameras(names: tuple[str, ...], counts: Counts) -> dict[str, str]:
    """Count the frames of each of several cameras."""
    found = {}
    if len(names) > 1:
        for index, name in enumerate(names):
            camera = counts.cameras.get(index, CameraCounts())
            found[f'{name}/frames_in'] = str(camera.received)
            found[f'{name}/frames_processed'] = str(camera.processed)
            found[f'{name}/frames_dropped'] = str(total_dropped(camera.dropped))
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


def _warnings(parameters: Parameters, observed: Observed) -> list[str]:
    """Say what is not as it should be, what matters most first."""
    report, scale, stream = observed.report, observed.scale, observed.stream
    found = [*observed.problems, *observed.recent.warnings()]
    if report is not None and report.level == 'warn':
        found.append(f'watch: {report}')
    if stream.count > 1 and stream.age is not None and stream.age < RECENT:
        found.append(
            f'stream {stream.count} began {stream.age:.0f} s ago ({stream.why}): poses from '
            'before have nothing to do with it'
        )
    if scale is not None and not scale.settled:
        found.append(f'up to scale: {scale.reason}')
    found.extend(_doubts(observed.newest))
    if observed.transforms:
        found.append(observed.transforms)
    return [*found, *parameters.warnings()]


def _doubts(newest: FrameFigures) -> list[str]:
    """Doubt a calibration that the network does not see in the picture."""
    predicted, calibrated = newest.focal_predicted, newest.focal_calibrated
    if calibrated is None or 1 / SEVERAL_FOLD <= predicted / calibrated <= SEVERAL_FOLD:
        return []
    return [
        f'the focal length of camera_info is {calibrated:.0f} pixels of the picture, the network '
        f'predicts {predicted:.0f}: is it the calibration of this camera, of these images? It is '
        'used; input.use_camera_info false would take the prediction'
    ]


def _stream(stream: StreamState) -> dict[str, str]:
    return {
        'stream': str(stream.number),
        'stream_reason': stream.why,
        'stream_age_s': _seconds(stream.age),
    }


def _seconds(value: float | None) -> str:
    return '' if value is None else f'{value:.1f}'


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
