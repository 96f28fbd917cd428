# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The program behind `make demo`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import contextmanager, ExitStack
from dataclasses import replace
import logging
import os
from pathlib import Path
import shutil
import signal
import sys
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from xstreamvggt_ros.demo.arguments import parse, RENDERED_FRAMES
from xstreamvggt_ros.demo.folder import (
    CONTACT_SHEET,
    free_folder,
    origin_of,
    owner,
    put_in_place,
    RECORDING,
    RENDERED_BAG,
    RESULTS,
)
from xstreamvggt_ros.demo.live import end_with_ctrl_c, Views
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs import ImageSequence, layout_of, open_sequence
from xstreamvggt_ros.rig.shipped import shipped_parameters

SHEET_COLUMNS = 6
LOG_LINES = 25
MOST_PROBLEMS = 12
GOOD, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; 0 when every check holds, 1 when not, 2 for an unusable input."""
    options = parse(arguments)
    console = Console(highlight=False)
    warnings = RichHandler(console=console, show_time=False, show_path=False)
    logger = logging.getLogger('xstreamvggt_ros')
    logger.addHandler(warnings)
    # torch's threads sleep between frames instead of spinning beside the node's.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    # An end by SIGTERM unwinds as Ctrl-C does, so that no child stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        options.output = _folder(options, console)
        _make_folder(options.output)
        _mind_input(options)
        with ExitStack() as stack:
            folder = Path(
                stack.enter_context(TemporaryDirectory(prefix='.new_', dir=options.output))
            )
            source = _source(options, folder, console)
            end_with_ctrl_c(source, stack)
            views = Views(options, console, stack)
            code = _demonstrate(source, options, folder, console, views)
            views.stay()
            return code
    except InputError as error:
        console.print(f'[bold red]cannot be used:[/] {escape(str(error))}')
        return UNUSABLE
    except OSError as error:
        console.print(f'[bold red]{escape(str(error))}[/]')
        return UNUSABLE
    except KeyboardInterrupt:
        console.print('\ninterrupted; the node was stopped')
        return INTERRUPTED
    finally:
        logger.removeHandler(warnings)


def _folder(options: argparse.Namespace, console: Console) -> Path:
    """Choose where the files go; say so where that is not what was asked for."""
    wanted, origin = options.output, origin_of(options.input)
    before = owner(wanted)
    if options.force or before in ('', origin):
        return wanted
    chosen = free_folder(wanted, origin)
    told = f'{wanted} has the results of {before}; those of this run go to {chosen}'
    console.print(f'{escape(told)} (--force writes over them)', soft_wrap=True)
    return chosen


def _make_folder(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f'--output {output} leads to a file; give a folder') from None


def _mind_input(options: argparse.Namespace) -> None:
    """Refuse to write over what is to be read."""
    results = [options.output / name for name in RESULTS]
    read = options.input
    if read and read.exists() and any(each.exists() and each.samefile(read) for each in results):
        raise InputError(f'--input {options.input} would be written over; give another --output')


def _source(options: argparse.Namespace, folder: Path, console: Console) -> ImageSequence:
    """Open the user's input, or render one in `folder`."""
    if options.input:
        with console.status(f'reading {escape(str(options.input))}'):
            return open_sequence(options.input, **_options(options))
    from xstreamvggt_ros.demo.synthetic_bag import render_bag

    path = folder / RENDERED_BAG
    frames = options.max_frames * options.stride or RENDERED_FRAMES
    with console.status(f'rendering a room, {frames} images with depth and poses'):
        render_bag(path, frames, options.rate)
    return replace(open_sequence(path), name='A rendered room')


def _options(options: argparse.Namespace) -> dict[str, object]:
    """Gather what the input is opened with; a folder of images takes the rate."""
    found: dict[str, object] = dict(options.option)
    if options.topic:
        found['topic'] = options.topic
    if layout_of(options.input) in ('images', 'camera'):
        found.setdefault('rate', options.rate)
    return found


def _demonstrate(
    source: ImageSequence,
    options: argparse.Namespace,
    folder: Path,
    console: Console,
    views: Views,
) -> int:
    """Run the node, make the files in `folder`, put them in place and print the table."""
    # Here, so that an unusable input is said without waiting for ROS and torch.
    from xstreamvggt_ros.demo.run import RunOptions
    from xstreamvggt_ros.rig.lifecycle import NodeError

    run_options = RunOptions(
        max_frames=options.max_frames,
        stride=options.stride,
        rate_hz=options.rate,
        lossless=options.queue == 'every',
        window=options.window,
        patience_s=options.patience,
        parameters=options.params or shipped_parameters(),
        overrides=tuple(options.param),
    )
    bag, log = folder / RECORDING, options.output / 'node.log'
    try:
        happened = _play(source, options, run_options, bag, log, console, views)
    except NodeError as error:
        console.print(Panel(_tail(log), title=f'the end of {log}', title_align='left'))
        console.print(f'[bold red]{escape(str(error))}[/]')
        _say_what_stays(options.output, console)
        return FAILED
    return _report(source, run_options, happened, bag, log, origin_of(options.input), console)


def _play(source, options, run_options, bag: Path, log: Path, console: Console, views: Views):
    """Play the source into the node, where neither meets anybody else."""
    from xstreamvggt_ros.demo.run import run
    from xstreamvggt_ros.rig.domain import free_domain, isolated

    domain = free_domain() if options.domain is None else options.domain
    console.print(f'playing [bold]{escape(source.name)}[/] into the node')
    if shutil.which('rviz2'):
        # On one line however narrow the terminal, so that it can be copied.
        watch = f'ROS_DOMAIN_ID={domain} ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST rviz2'
        console.print(f'to watch: {watch}', soft_wrap=True)
    played = source.length and -(-source.length // options.stride)
    lengths = [length for length in (played, options.max_frames) if length]
    with isolated(domain):
        views.open()
        with _progress(console, min(lengths, default=None)) as progress:
            return run(source, run_options, bag, log, progress)


def _report(
    source, run_options, happened, bag: Path, log: Path, origin: str, console: Console
) -> int:
    """Check what was recorded, make the other files of it and print the table."""
    from xstreamvggt_ros.demo.report import weights_warning, write_results
    from xstreamvggt_ros.demo.results import read_results, spread
    from xstreamvggt_ros.demo.summary import judge, summary_table
    from xstreamvggt_ros.rig.driven_node import NODE_NAME
    from xstreamvggt_ros.rig.node_log import warnings
    from xstreamvggt_ros.rig.recording import recorded_streams

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
            accuracy = _compare(source, happened, results, notes)
            files += _draw(source, happened, results, accuracy, output, notes)
    if not files:
        _say_what_stays(output, console)
    if warning := weights_warning(happened):
        console.print(Panel(warning, style='bold red'))
    problems = judge(happened, results, run_options)
    notes += [
        *_first(source.problems),
        *warnings(log.read_text(encoding='utf-8', errors='replace')),
    ]
    files.append(log)
    console.print(summary_table(happened, results, run_options, problems, files, notes, accuracy))
    return FAILED if problems else GOOD


def _first(problems: Sequence[str]) -> list[str]:
    """Give some of what is wrong with an input, and how many more there are."""
    more = len(problems) - MOST_PROBLEMS
    return [*problems[:MOST_PROBLEMS], *([f'and {more} more of the input'] if more > 0 else [])]


def _compare(source, happened, results, notes: list[str]):
    """Compare with the truth; what is unexpected in it is noted, and costs nothing else."""
    from xstreamvggt_ros.demo.accuracy import measure

    try:
        axes = happened.parameters['output.world_axes']
        return measure(source, results, axes, happened.distorted)
    except Exception as error:  # noqa: BLE001 the run is finished, whatever the truth is
        notes.append(f'not compared with the truth: {error}')
        return None


def _draw(source, happened, results, accuracy, output: Path, notes: list[str]) -> list[Path]:
    """Draw the contact sheet where there is something to show; give its path."""
    from xstreamvggt_ros.demo.contact_sheet import draw_contact_sheet
    from xstreamvggt_ros.demo.report import gather_sheet

    if not results.maps:
        return []
    path = output / CONTACT_SHEET
    try:
        draw_contact_sheet(path, gather_sheet(source, happened, results, accuracy))
    except Exception as error:  # noqa: BLE001 the run is finished, whatever cannot be drawn
        notes.append(f'no contact sheet: {error}')
        return []
    return [path]


def _say_what_stays(output: Path, console: Console) -> None:
    if any((output / name).exists() for name in RESULTS):
        console.print(f'the results in {escape(str(output))} are those of a run before')


@contextmanager
def _progress(console: Console, total: int | None):
    """Show how many images are answered; entering gives the function to tell it."""
    columns = (TextColumn('{task.description}'), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task('starting the node', total=total)

        def tell(sent: int, answered: int) -> None:
            description = 'reconstructing' if sent else 'starting the node'
            progress.update(task, completed=answered, description=description)

        yield tell


def _tail(log: Path) -> str:
    lines = log.read_text(encoding='utf-8', errors='replace').splitlines()
    return escape('\n'.join(lines[-LOG_LINES:]))


if __name__ == '__main__':
    sys.exit(main())
