# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What becomes of a run that was played: its files, the sheet and the table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel

from xstreamvggt_ros.demo.accuracy import Accuracy, measure
from xstreamvggt_ros.demo.contact_sheet import draw_contact_sheet
from xstreamvggt_ros.demo.folder import CONTACT_SHEET, put_in_place, RESULTS
from xstreamvggt_ros.demo.report import gather_sheet, weights_warning, write_results
from xstreamvggt_ros.demo.results import read_results, Results, spread
from xstreamvggt_ros.demo.run import DemoRun, RunOptions
from xstreamvggt_ros.demo.summary import judge, summary_table
from xstreamvggt_ros.inputs import ImageSequence
from xstreamvggt_ros.rig.driven_node import NODE_NAME
from xstreamvggt_ros.rig.node_log import losses, warnings
from xstreamvggt_ros.rig.recording import recorded_streams

SHEET_COLUMNS = 6
MOST_PROBLEMS = 12


def conclude(
    source: ImageSequence,
    options: RunOptions,
    happened: DemoRun,
    bag: Path,
    log: Path,
    origin: str,
    console: Console,
) -> bool:
    """
    Check what was recorded, make the other files of it and print the table.

    They go from the folder of `bag` to that of `log`. Tells whether all was as it must be.
    """
    output = log.parent
    files, notes, accuracy = [], [], None
    with console.status('writing the files'):
        several = int(happened.diagnostics.get('streams', 1)) > 1
        streams = recorded_streams(bag, NODE_NAME) if several else []
        answered = happened.completed_ns.keys()
        shown = spread(answered & set(streams[0]) if streams else answered, SHEET_COLUMNS)
        results = read_results(bag, NODE_NAME, happened.published_ns, shown, streams)
        if len(results.trajectory):
            write_results(results, bag.parent)
            # What is finished is in place before it is held against a truth that may be bad.
            files = put_in_place(bag.parent, output, origin)
            accuracy = compare(source, happened, results, notes)
            files += _draw(source, happened, results, accuracy, output, notes)
    if not files:
        say_what_stays(output, console)
    if warning := weights_warning(happened):
        console.print(Panel(warning, style='bold red'))
    problems = judge(happened, results, options)
    said = log.read_text(encoding='utf-8', errors='replace')
    notes += [*_first(source.problems), *losses(said), *warnings(said)]
    files.append(log)
    console.print(summary_table(happened, results, options, problems, files, notes, accuracy))
    return not problems


def _first(problems: Sequence[str]) -> list[str]:
    """Give some of what is wrong with an input, and how many more there are."""
    more = len(problems) - MOST_PROBLEMS
    return [*problems[:MOST_PROBLEMS], *([f'and {more} more of the input'] if more > 0 else [])]


def compare(
    source: ImageSequence, happened: DemoRun, results: Results, notes: list[str]
) -> Accuracy | None:
    """Compare with the truth; what is unexpected in it is noted, and costs nothing else."""
    try:
        axes = happened.parameters['output.world_axes']
        return measure(source, results, axes, happened.distorted)
    except Exception as error:  # noqa: BLE001 the run is finished, whatever the truth is
        notes.append(f'not compared with the truth: {error}')
        return None


def _draw(
    source: ImageSequence,
    happened: DemoRun,
    results: Results,
    accuracy: Accuracy | None,
    output: Path,
    notes: list[str],
) -> list[Path]:
    """Draw the contact sheet where there is something to show; give its path."""
    if not results.maps:
        return []
    path = output / CONTACT_SHEET
    try:
        draw_contact_sheet(path, gather_sheet(source, happened, results, accuracy))
    except Exception as error:  # noqa: BLE001 the run is finished, whatever cannot be drawn
        notes.append(f'no contact sheet: {error}')
        return []
    return [path]


def say_what_stays(output: Path, console: Console) -> None:
    """Say where a folder's results are not of this run."""
    if any((output / name).exists() for name in RESULTS):
        console.print(f'the results in {escape(str(output))} are those of a run before')
