# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What happened, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
import re

import numpy as np
from rich.markup import escape
from rich.table import Table

from xstreamvggt_ros.demo.accuracy import Accuracy
from xstreamvggt_ros.demo.recognition import doubts
from xstreamvggt_ros.demo.results import Results
from xstreamvggt_ros.demo.run import DemoRun, RunOptions

# As the node's log says of a stream that nobody asked for.
BEGINS = re.compile(r'stream \d+ begins: ')
UNITS = ('bytes', 'KiB', 'MiB', 'GiB')


def judge(run: DemoRun, results: Results, options: RunOptions) -> list[str]:
    """
    Say what is wrong with a run, in sentences; none means that it is as it must be.

    It must be played to the end, with every output's stamp that of an image bit for bit and every
    number finite; none lost, if it was to be lossless. What the node gives as the reason comes
    first; that every output is missing is said once.
    """
    problems = [run.problem] if run.problem else []
    if not run.published_ns:
        problems.append('the input gave not one image')
    elif not len(results.trajectory):
        problems.append('the node published not one pose')
    if results.check.outputs:
        problems += results.check.problems(options.lossless, run.distorted)
    if problems and run.diagnostics.get('last_error'):
        problems.insert(0, f'the last error of the node: {run.diagnostics["last_error"]}')
    return problems


def summary_table(
    run: DemoRun,
    results: Results,
    options: RunOptions,
    problems: Sequence[str],
    files: Sequence[Path],
    warned: Sequence[str] = (),
    accuracy: Accuracy | None = None,
) -> Table:
    """Lay out frames, latency, cache, what `judge` found, the node's warnings and the files."""
    table = Table(title='What happened', title_justify='left', show_header=False, min_width=72)
    table.add_column(style='bold', no_wrap=True)
    table.add_column(overflow='fold')
    begun = [text for text in warned if BEGINS.match(text)]
    others = [text for text in warned if text not in begun]
    for rows in (
        _frame_rows(run, options) + _stream_rows(run, results, begun),
        _latency_rows(run, options),
        [('[yellow]doubtful[/yellow]', text) for text in doubts(results)]
        + _accuracy_rows(accuracy),
        _cache_rows(run.diagnostics),
        _check_rows(results, options, problems)
        + [('[yellow]warned[/yellow]', escape(text)) for text in others],
        [(path.name, f'{size(path.stat().st_size)}  {escape(str(path))}') for path in files],
    ):
        for name, text in rows:
            table.add_row(name, text)
        table.add_section()
    return table


def size(count: int | float) -> str:
    """Print a number of bytes for people."""
    for unit in UNITS:
        if count < 1024 or unit == UNITS[-1]:
            break
        count /= 1024
    return f'{count:.0f} {unit}' if unit == UNITS[0] else f'{count:.1f} {unit}'


def latencies_ms(run: DemoRun) -> np.ndarray:
    """Give every answered image's time from being sent to its last output being received."""
    return np.array(
        [(at - run.published_ns[stamp]) / 1e6 for stamp, at in sorted(run.completed_ns.items())
         if stamp in run.published_ns]
    )  # fmt: skip


def _frame_rows(run: DemoRun, options: RunOptions) -> list[tuple[str, str]]:
    figures = run.diagnostics
    mode = 'every image waits for its turn' if options.lossless else 'the newest image wins'
    rows = [('images sent', f'{len(run.published_ns)} ({mode})')]
    if figures:
        rows.append(('processed by the node', figures['frames_processed']))
        rows.append(('dropped by the node', _dropped(figures)))
    rate = len(run.completed_ns) / run.seconds
    rows.append(('answered in full', f'{len(run.completed_ns)}, {rate:.1f} a second'))
    return rows


def _stream_rows(run: DemoRun, results: Results, begun: Sequence[str]) -> list[tuple[str, str]]:
    if results.streams == 1:
        return []
    text = (
        f'{results.streams}, whose maps have nothing to do with each other; the files show the '
        f'longest, {len(results.trajectory)} of {len(run.published_ns)} images'
    )
    return [('streams', '\n'.join([text, *(f'[dim]{escape(each)}[/dim]' for each in begun)]))]


def _dropped(figures: dict[str, str]) -> str:
    reasons = [
        f'{key.removeprefix("dropped_")} {count}'
        for key, count in figures.items()
        if key.startswith('dropped_') and count != '0'
    ]
    return figures['frames_dropped'] + (f' ({", ".join(reasons)})' if reasons else '')


def _latency_rows(run: DemoRun, options: RunOptions) -> list[tuple[str, str]]:
    values = latencies_ms(run)
    figures = run.diagnostics
    rows = []
    if len(values):
        median, late = np.percentile(values, [50, 95])
        flight = f', {options.window} in flight' if options.lossless else ''
        rows.append(
            (
                'latency',
                f'median {median:.0f} ms, 95 % within {late:.0f} ms\n'
                f'[dim]image sent to last of its outputs received, over DDS{flight}[/dim]',
            )
        )
    if figures.get('latency_p50_ms'):
        rows.append(
            (
                'in the node',
                f'median {float(figures["latency_p50_ms"]):.0f} ms, '
                f'95 % within {float(figures["latency_p95_ms"]):.0f} ms\n'
                '[dim]image arrived to the node free for the next one[/dim]',
            )
        )
    return rows


def _accuracy_rows(accuracy: Accuracy | None) -> list[tuple[str, str]]:
    rows = []
    if accuracy and np.isfinite(accuracy.ate):
        text = f'{100 * accuracy.ate:.1f} % of the path of {accuracy.path_length:.1f} m'
        note = f'root mean square, after aligning by a similarity of {accuracy.aligned_by}'
        rows.append(('error of the path (ATE)', f'{text}\n[dim]{note}[/dim]'))
    elif accuracy and accuracy.reason:
        rows.append(('error of the path (ATE)', f'[dim]not determined: {accuracy.reason}[/dim]'))
    if accuracy and np.isfinite(accuracy.abs_rel):
        note = (
            f'mean of |depth / true depth − 1| over the pixels of the {accuracy.images} images of '
            'the contact sheet, after one factor brings their median to the true one'
        )
        rows.append(
            ('error of depth (AbsRel)', f'{100 * accuracy.abs_rel:.1f} %\n[dim]{note}[/dim]')
        )
    return rows


def _cache_rows(figures: dict[str, str]) -> list[tuple[str, str]]:
    if not figures:
        return [('cache', 'the node said nothing on /diagnostics')]
    if figures['frames_processed'] == '0':
        return []
    layers = max(1, int(figures['cache_layers']))
    held, unbounded = int(figures['cache_bytes']), int(figures['cache_unbounded_bytes'])
    # What is counted over all layers, of one: budgets are of one too.
    tokens, all_tokens, evicted = (
        f'{int(figures[f"cache_{name}"]) // layers:,}'
        for name in ('tokens', 'unbounded_tokens', 'evictions')
    )
    budget = figures['cache_budget_tokens']
    # Room for the whole budget is set aside at once; before it is full the share says nothing.
    filling = budget.isdecimal() and figures['cache_evictions'] == '0'
    share = f', {unbounded / held:.1f} times as much' if held and not filling else ''
    return [
        (
            'tokens a layer',
            f'{tokens} in the cache, budget {_budget(budget)}'
            f'{", not full yet: nothing was forgotten" if filling else ""}; evicted {evicted}; '
            f'an unbounded cache would hold {all_tokens}',
        ),
        (
            'cache',
            f'{size(held)} in {layers} layers; unbounded and unquantised {size(unbounded)}{share}',
        ),
        ('network', f'{figures["weights"]} weights, {figures["dtype"]} on {figures["device"]}'),
    ]


def _budget(text: str) -> str:
    return f'{int(text):,}' if text.isdecimal() else text


def _check_rows(
    results: Results, options: RunOptions, problems: Sequence[str]
) -> list[tuple[str, str]]:
    if problems:
        return [('[red]WRONG[/red]', f'[red]{escape(text)}[/red]') for text in problems]
    check = results.check
    text = (
        f'{"none lost; " if options.lossless else ""}{check.outputs} outputs: every stamp equals '
        'that of its image bit for bit, every number is finite'
    )
    if check.holes:
        text += f', but for {check.holes:,} of {check.pixels:,} pixels, undistorted from nothing'
    return [('[green]checked[/green]', text)]
