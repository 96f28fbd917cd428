# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the node says about itself on /diagnostics: figures in, DiagnosticArray out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from xstreamvggt_ros.intake.counters import total_dropped

UNBOUNDED = 'unbounded'
LEVELS = {
    'ok': DiagnosticStatus.OK,
    'warn': DiagnosticStatus.WARN,
    'error': DiagnosticStatus.ERROR,
}


class SaidOfFrame(Protocol):
    """What the watch says of a frame: a level of LEVELS, and as text a sentence."""

    @property
    def level(self) -> str:
        """Give 'ok', 'warn' or 'error'."""


@dataclass(frozen=True)
class StreamFigures:
    """
    Hold what /diagnostics tells; every field has the value of a stream without frames.

    `frames_dropped` counts by reason, `lost_in_transport` those that never came, and `streams`
    those that have begun. `cache_tokens` is the sum over layers, `cache_tokens_per_layer` what the
    fullest one holds, `cache_budget_tokens` the budget of one layer, None where unbounded.
    `cache_unbounded_tokens` and `cache_unbounded_bytes` are what a cache of the same dtype without
    a budget would hold after the same frames.
    `weights` is 'trained <file>' or 'random'. The level is ERROR where it is `failing`, which
    `last_error` explains, WARN where there are `warnings`, and STALE where it is not `active`.
    `fps` is what was processed in the last seconds. `details` are further keys and values as they
    are shown.
    """

    frames_in: int = 0
    frames_processed: int = 0
    frames_dropped: Mapping[str, int] = field(default_factory=dict)
    lost_in_transport: int = 0
    fps: float = 0.0
    streams: int = 0
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    cache_layers: int = 0
    cache_tokens: int = 0
    cache_tokens_per_layer: int = 0
    cache_budget_tokens: int | None = None
    cache_bytes: int = 0
    cache_unbounded_tokens: int = 0
    cache_unbounded_bytes: int = 0
    cache_evictions: int = 0
    weights: str = ''
    device: str = ''
    dtype: str = ''
    last_error: str = ''
    failing: bool = False
    active: bool = True
    warnings: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)


def diagnostic_array(figures: StreamFigures, node_name: str, stamp: Time) -> DiagnosticArray:
    """
    Build the message with one status, '<node_name>: reconstruction'.

    Counts are decimal integers, latencies milliseconds with one decimal; a latency that is not
    known yet is the empty string. Every reason for dropping is a key, `dropped_<reason>`.
    """
    status = DiagnosticStatus(
        name=f'{node_name}: reconstruction',
        hardware_id=figures.device,
        level=_level(figures),
        message=_message(figures),
        values=[KeyValue(key=key, value=value) for key, value in _values(figures).items()],
    )
    message = DiagnosticArray(status=[status])
    message.header.stamp = stamp
    return message


def frame_report(
    values: Mapping[str, object], verdict: SaidOfFrame | None, node_name: str, header: Header
) -> DiagnosticArray:
    """
    Build what is said of one frame, with one status '<node_name>: frame' and the image's header.

    `verdict` is what the watch says, whose sentence and level the status takes; None: no watch.
    """
    level = 'ok' if verdict is None else verdict.level
    status = DiagnosticStatus(
        name=f'{node_name}: frame',
        level=LEVELS[level],
        message='' if level == 'ok' else str(verdict),
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )
    return DiagnosticArray(header=header, status=[status])


def _level(figures: StreamFigures) -> bytes:
    if not figures.active:
        return DiagnosticStatus.STALE
    if figures.failing:
        return DiagnosticStatus.ERROR
    return DiagnosticStatus.WARN if figures.warnings else DiagnosticStatus.OK


def _message(figures: StreamFigures) -> str:
    if not figures.active:
        return f'not active; {figures.frames_processed} frames were processed'
    problems = [figures.last_error] if figures.last_error else []
    problems.extend(figures.warnings)
    return '; '.join(problems) or f'{figures.frames_processed} frames processed'


def _values(figures: StreamFigures) -> dict[str, str]:
    budget = figures.cache_budget_tokens
    return {
        'frames_in': str(figures.frames_in),
        'frames_processed': str(figures.frames_processed),
        'frames_dropped': str(total_dropped(figures.frames_dropped)),
        **{f'dropped_{why}': str(count) for why, count in sorted(figures.frames_dropped.items())},
        'lost_in_transport': str(figures.lost_in_transport),
        'fps': f'{figures.fps:.1f}',
        'streams': str(figures.streams),
        'latency_p50_ms': _milliseconds(figures.latency_p50_ms),
        'latency_p95_ms': _milliseconds(figures.latency_p95_ms),
        'cache_layers': str(figures.cache_layers),
        'cache_tokens': str(figures.cache_tokens),
        'cache_tokens_per_layer': str(figures.cache_tokens_per_layer),
        'cache_budget_tokens': UNBOUNDED if budget is None else str(budget),
        'cache_bytes': str(figures.cache_bytes),
        'cache_unbounded_tokens': str(figures.cache_unbounded_tokens),
        'cache_unbounded_bytes': str(figures.cache_unbounded_bytes),
        'cache_evictions': str(figures.cache_evictions),
        'weights': figures.weights,
        'device': figures.device,
        'dtype': figures.dtype,
        'last_error': figures.last_error,
        **figures.details,
    }


def _milliseconds(value: float | None) -> str:
    return '' if value is None else f'{value:.1f}'
