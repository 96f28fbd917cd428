# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run cost: time and memory over the frames, and what became of them."""

from __future__ import annotations

import numpy as np

from xstreamvggt_ros.evaluation.arrays import FrameArrays
from xstreamvggt_ros.evaluation.results import STATUSES

MIB = 2**20
# Early and late are this share of the frames at either end.
END_SHARE = 0.25


def score_costs(frames: FrameArrays) -> tuple[dict[str, float], dict[str, list[float]]]:
    """
    Summarise latency, memory and statuses; give figures and curves by name.

    Growth compares the last quarter of the frames with the first: a ratio of median latencies,
    and a difference of resident memory. Of what is bounded, neither grows. Latencies are of the
    frames that were done.
    """
    curves = {
        'latency_ms': np.where(frames.statuses == 'done', 1e3 * frames.latency_s, np.nan),
        'cache_mib': frames.cache_bytes / MIB,
        'cache_tokens': frames.cache_tokens,
        'resident_mib': frames.resident_bytes / MIB,
        'device_mib': frames.device_bytes / MIB,
    }
    latency = curves['latency_ms'][np.isfinite(curves['latency_ms'])]
    early, late = _ends(latency)
    resident_early, resident_late = _ends(curves['resident_mib'])
    metrics = {
        'frames': len(frames),
        **{status: int((frames.statuses == status).sum()) for status in STATUSES},
        'warned': int((frames.verdicts != '').sum()),
        'answered': float((frames.statuses == 'done').mean()),
        'cpu_share': _cpu_share(frames),
        'latency_median_ms': _percentile(latency, 50),
        'latency_p95_ms': _percentile(latency, 95),
        'latency_p99_ms': _percentile(latency, 99),
        'latency_growth': late / early,
        'frames_per_second': 1e3 / latency.mean() if len(latency) else np.nan,
        'cache_mib': _largest(curves['cache_mib']),
        'cache_tokens': _largest(curves['cache_tokens']),
        'cache_evicted': _largest(frames.cache_evicted),
        'resident_mib': _largest(curves['resident_mib']),
        'resident_growth_mib': resident_late - resident_early,
        'device_mib': _largest(curves['device_mib']),
    }
    return metrics, {name: values.tolist() for name, values in curves.items()}


def _cpu_share(frames: FrameArrays) -> float:
    """Give the processors that the frames had while they were worked on; NaN where not known."""
    known = np.isfinite(frames.cpu_s) & np.isfinite(frames.latency_s)
    spent = frames.latency_s[known].sum()
    return float(frames.cpu_s[known].sum() / spent) if spent else np.nan


def _ends(values: np.ndarray) -> tuple[float, float]:
    values = values[np.isfinite(values)]
    count = max(1, round(END_SHARE * len(values)))
    if not len(values):
        return np.nan, np.nan
    return float(np.median(values[:count])), float(np.median(values[-count:]))


def _percentile(values: np.ndarray, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else np.nan


def _largest(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.max()) if len(values) else np.nan
