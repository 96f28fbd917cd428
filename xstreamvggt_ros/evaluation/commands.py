# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the commands of evaluation do."""

from __future__ import annotations

import argparse
from contextlib import contextmanager, ExitStack
import os
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    track,
)

from xstreamvggt_ros.evaluation import arguments
from xstreamvggt_ros.evaluation.lock import writing
from xstreamvggt_ros.evaluation.plan import configurations, plan, PlannedRun
from xstreamvggt_ros.evaluation.record import find_records, read_record, RECORD, Record
from xstreamvggt_ros.evaluation.scoring import score_again
from xstreamvggt_ros.evaluation.sweep import Means, sweep
from xstreamvggt_ros.evaluation.workers import RunFailure
from xstreamvggt_ros.files.errors import InputError

GOOD, FAILED = 0, 1
RANDOM_WARNING = (
    'RANDOM WEIGHTS: no trained weights are loaded, so every figure of accuracy MEANS NOTHING; '
    'give --checkpoint'
)


def run(options: argparse.Namespace, console: Console) -> int:
    """Make every run that is not there yet, and the page of all of them."""
    if options.ray_address and options.device == 'auto':
        # It may be another one on each node, and here.
        raise ValueError("device is 'auto'; with --ray-address, name it: --device cuda or cpu")
    config = arguments.run_config(options)
    configs = configurations(config, arguments.axes(options), not options.no_reference)
    with console.status('reading the sequences'):
        planned = plan(
            arguments.specs(options), configs, options.output, arguments.protocol(options)
        )
    if not planned.runs:
        raise InputError('\n'.join(planned.problems))
    for problem in planned.problems:
        console.print(f'[red]left out:[/] {escape(problem)}')
    if config.random_weights:
        console.print(f'[bold red]{RANDOM_WARNING}[/]')
    threads = options.threads or max(1, (os.cpu_count() or 1) // options.jobs)
    means = Means(options.jobs, threads, options.ray_address)
    with _progress(console, len(planned.runs)) as tell:
        result = sweep(planned, options.output, means, tell)
    console.print(
        f'{result.made} runs made, {result.already_there} were there, {len(result.failed)} failed'
    )
    if not options.no_report and result.made + result.already_there:
        _write_report(options.output, options.output, '', console)
    return FAILED if planned.problems or result.failed else GOOD


def score(options: argparse.Namespace, console: Console) -> int:
    """Score finished runs anew, while nobody else writes them."""
    protocol = arguments.protocol(options)
    found = (path for folder in options.folders for path in folder.rglob(RECORD))
    with ExitStack() as stack:
        for folder in sorted({path.parent.parent for path in found}):
            stack.enter_context(writing(folder))
        records, problems = _records(options.folders)
        if not records:
            raise InputError('\n'.join(problems))
        for record in track(records, 'scoring', console=console):
            score_again(record, protocol)
            console.print(f'scored {escape(str(record.folder))}')
    for problem in problems:
        console.print(f'[red]{escape(problem)}[/]')
    return FAILED if problems else GOOD


def report(options: argparse.Namespace, console: Console) -> int:
    """Make the page of finished runs."""
    return _write_report(options.folder, options.output or options.folder, options.title, console)


def export(options: argparse.Namespace, console: Console) -> int:
    """Write a run for other viewers."""
    record = read_record(options.record)
    if not (options.rerun or options.mcap):
        raise ValueError('nothing to write: give --rerun FILE.rrd, --mcap FILE.mcap or both')
    # Here, because each needs a library that the other commands do without.
    if options.rerun:
        from xstreamvggt_ros.evaluation.export.rerun import write_rerun

        write_rerun(record, options.rerun)
        console.print(f'wrote {escape(str(options.rerun))}')
    if options.mcap:
        from xstreamvggt_ros.evaluation.export.mcap import write_mcap

        write_mcap(record, options.mcap)
        console.print(f'wrote {escape(str(options.mcap))}')
    return GOOD


def _write_report(folder: Path, output: Path, title: str, console: Console) -> int:
    from xstreamvggt_ros.evaluation.report import differences_said, write_report

    with console.status('making the page'):
        written, problems = write_report(folder, output, title)
    for problem in problems:
        console.print(f'[red]left out:[/] {escape(problem)}')
    for line in differences_said(output):
        console.print(escape(line))
    for path in written:
        console.print(f'wrote {escape(str(path))}')
    return FAILED if problems or not written else GOOD


def _records(folders: list[Path]) -> tuple[list[Record], list[str]]:
    found = [find_records(folder) for folder in folders]
    problems = [problem for _, some in found for problem in some]
    problems += [
        f'{folder}: no finished run there'
        for folder, (records, some) in zip(folders, found, strict=True)
        if not records and not some
    ]
    return [record for records, _ in found for record in records], problems


@contextmanager
def _progress(console: Console, total: int):
    """Show how many runs are done, and each failure as it comes."""
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task('replaying', total=total)

        def tell(planned: PlannedRun, failure: RunFailure | None, made: bool) -> None:
            progress.advance(task)
            if failure is not None:
                progress.console.print(
                    f'[red]failed:[/] {escape(str(planned))}: {escape(failure.message)}'
                )
            elif made:
                progress.console.print(f'made {escape(str(planned))}')

        yield tell
