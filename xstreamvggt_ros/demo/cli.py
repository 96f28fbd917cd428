# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The program behind `make demo`."""

from __future__ import annotations

import argparse
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
    free_folder,
    made,
    origin_of,
    owner,
    RECORDING,
    RENDERED_BAG,
)
from xstreamvggt_ros.demo.live import ctrl_c_ends, playing, Views
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.inputs import ImageSequence, layout_of, open_sequence
from xstreamvggt_ros.rig.shipped import shipped_parameters

LOG_LINES = 25
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
        with ExitStack() as stack:
            stack.enter_context(made(options.output, options.input))
            folder = Path(
                stack.enter_context(TemporaryDirectory(prefix='.new_', dir=options.output))
            )
            source = _source(options, folder, console)
            views = Views(options, console, stack)
            with ctrl_c_ends(source):
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
    from xstreamvggt_ros.demo.outcome import conclude, say_what_stays
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
        say_what_stays(options.output, console)
        return FAILED
    origin = origin_of(options.input)
    good = conclude(source, run_options, happened, bag, log, origin, console)
    return GOOD if good else FAILED


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
    with isolated(domain), playing(source):
        views.open()
        with _progress(console, min(lengths, default=None)) as progress:
            return run(source, run_options, bag, log, progress)


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
