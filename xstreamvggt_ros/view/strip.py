# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The strip of what matters, out of /diagnostics."""

from __future__ import annotations

import html

from xstreamvggt_ros.view.contents import Said

LEVELS = {0: ('ok', '#2b8a3e'), 1: ('warning', '#e67700'), 2: ('error', '#c92a2a')}
STALE = ('stale', '#868e96')
MIB = 2**20
STYLE = 'font-size:0.85em;padding:0 0.6em;line-height:1.5'


def strip(said: Said | None, waiting_for: str) -> str:
    """Write what a node says of itself as HTML; `waiting_for` where it has said nothing."""
    if said is None:
        return f'<div id="strip" style="{STYLE}">waiting for {html.escape(waiting_for)}</div>'
    word, colour = LEVELS.get(said.level, STALE)
    sentence = html.escape(said.message)
    rows = ''.join(
        f'<tr><td style="padding-right:0.8em">{html.escape(name)}</td>'
        f'<td data-name="{html.escape(name)}"><b>{html.escape(value)}</b></td></tr>'
        for name, value in figures(said).items()
    )
    return (
        f'<div id="strip" style="{STYLE}"><span style="color:{colour}"><b>{word}</b></span> '
        f'{sentence}<table>{rows}</table></div>'
    )


def figures(said: Said) -> dict[str, str]:
    """Choose the figures to show, in the words that are shown."""
    values = said.values
    found = {
        'frames/s': values.get('fps', ''),
        'latency p50, p95': _latency(values),
        'cache tokens': _of(values.get('cache_tokens', ''), values.get('cache_unbounded_tokens')),
        'cache MiB': _of(
            _mib(values.get('cache_bytes')), _mib(values.get('cache_unbounded_bytes'))
        ),
        'frames': f'{values.get("frames_processed", "")} of {values.get("frames_in", "")}',
        'dropped': _dropped(values),
        'scale': _scale(values),
        'stream': values.get('stream', ''),
    }
    return {name: value for name, value in found.items() if value.strip(' of')}


def _of(held: str, unbounded: str | None) -> str:
    return f'{held} of {unbounded} unbounded' if held and unbounded else held


def _mib(text: str | None) -> str:
    try:
        return f'{int(text) / MIB:.1f}'
    except (TypeError, ValueError, OverflowError):
        return ''


def _latency(values: dict[str, str]) -> str:
    median, late = values.get('latency_p50_ms', ''), values.get('latency_p95_ms', '')
    return f'{median}, {late} ms' if median and late else ''


def _dropped(values: dict[str, str]) -> str:
    total = values.get('frames_dropped', '')
    reasons = [
        f'{value} {key.removeprefix("dropped_").replace("_", " ")}'
        for key, value in values.items()
        if key.startswith('dropped_') and value not in ('', '0')
    ]
    return f'{total} ({", ".join(reasons)})' if reasons else total


def _scale(values: dict[str, str]) -> str:
    scale, source = values.get('scale', ''), values.get('scale_source', '')
    unsettled = values.get('scale_settled') == 'false'
    return f'{scale} ({"up to scale, " if unsettled else ""}{source})' if scale else ''
