# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The program behind `make demo`."""

from __future__ import annotations

import argparse
from contextlib import contextmanager
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

from xstreamvggt_ros.inputs.frames import FrameSource, InputError
from xstreamvggt_ros.inputs.sources import open_source
from xstreamvggt_ros.rig.shipped import shipped_parameters

DESCRIPTION = """
Play images into the reconstruction node over DDS and make files of what comes back: a bag, a
trajectory (TUM), a coloured cloud (PLY) and a contact sheet (PNG). Without an input, a room is
rendered, whose depth and poses are known exactly.
"""
RENDERED_FRAMES = 48
RENDERED_BAG = 'input.mcap'
# What a run makes; those of a run before stay until there are new ones.
RECORDING = 'reconstruction.mcap'
RESULTS = ('contact_sheet.png', 'trajectory.tum', 'cloud.ply', RECORDING)
SHEET_COLUMNS = 6
LOG_LINES = 25
GOOD, FAILED, UNUSABLE, INTERRUPTED = 0, 1, 2, 130


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog='xstreamvggt_demo', description=DESCRIPTION)
    add = parser.add_argument
    add('--input', type=Path, help='rosbag (folder, .mcap, .db3), folder of images or video')
    add('--topic', default='', help='image topic of a bag that has several')
    add(
        '--max-frames',
        type=_count,
        default=0,
        help=f'images to play; default: all, or {RENDERED_FRAMES} rendered ones',
    )
    add('--output', type=Path, default=Path('out'), help='folder for the files (%(default)s)')
    add(
        '--rate',
        type=_positive,
        default=30.0,
        help='images a second at most; also spaces stamps that a folder lacks (%(default)g)',
    )
    add(
        '--queue',
        choices=('every', 'newest'),
        default='every',
        help='every: wait for the node, lose no image (default); newest: go on as a camera does',
    )
    add(
        '--window',
        type=_count,
        default=1,
        help='with --queue every, images on their way at a time (%(default)s)',
    )
    add('--params', type=_file, help="parameters of the node, YAML (default: the package's own)")
    add(
        '-p',
        '--param',
        action='append',
        type=_assignment,
        default=[],
        metavar='NAME:=VALUE',
        help='one parameter of the node, e.g. cache.budget_tokens:=512; may be repeated',
    )
    add(
        '--patience',
        type=_positive,
        default=120.0,
        help='seconds to wait for the network at any one time (%(default)g)',
    )
    add('--domain', type=_domain, help='ROS domain id (default: a free one, at random)')
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f'{text!r} is no whole number of at least 1')
    return int(text)


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError(f'{text!r} is no number above 0')
    return value


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f'{text} is no file')
    return path


def _assignment(text: str) -> str:
    name, assigned, value = text.partition(':=')
    if not (name.strip() and assigned and value.strip()):
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME:=VALUE')
    return text


def _domain(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 232):
        raise argparse.ArgumentTypeError(f'{text!r} is no whole number from 0 to 232')
    return int(text)


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
        _make_folder(options.output)
        _mind_input(options)
        with TemporaryDirectory(prefix='.new_', dir=options.output) as folder:
            source = _source(options, Path(folder), console)
            return _demonstrate(source, options, Path(folder), console)
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


def _make_folder(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f'--output {output} leads to a file; give a folder') from None


def _mind_input(options: argparse.Namespace) -> None:
    """Refuse to write over what is to be read."""
    results = [options.output / name for name in RESULTS]
    if options.input and any(each.exists() and each.samefile(options.input) for each in results):
        raise InputError(f'--input {options.input} would be written over; give another --output')


def _source(options: argparse.Namespace, folder: Path, console: Console) -> FrameSource:
    """Open the user's input, or render one in `folder`."""
    if options.input:
        return open_source(options.input, options.topic, options.rate)
    from xstreamvggt_ros.demo.synthetic_bag import render_bag

    path = folder / RENDERED_BAG
    frames = options.max_frames or RENDERED_FRAMES
    with console.status(f'rendering a room, {frames} images with depth and poses'):
        render_bag(path, frames, options.rate)
    source = open_source(path)
    source.title = 'A rendered room'
    return source


def _demonstrate(
    source: FrameSource, options: argparse.Namespace, folder: Path, console: Console
) -> int:
    """Run the node, make the files in `folder`, put them in place and print the table."""
    # Here, so that an unusable input is said without waiting for ROS and torch.
    from xstreamvggt_ros.demo.run import RunOptions
    from xstreamvggt_ros.rig.lifecycle import NodeError

    run_options = RunOptions(
        max_frames=options.max_frames,
        rate_hz=options.rate,
        lossless=options.queue == 'every',
        window=options.window,
        patience_s=options.patience,
        parameters=options.params or shipped_parameters(),
        overrides=tuple(options.param),
    )
    bag, log = folder / RECORDING, options.output / 'node.log'
    try:
        happened = _play(source, options, run_options, bag, log, console)
    except NodeError as error:
        console.print(Panel(_tail(log), title=f'the end of {log}', title_align='left'))
        console.print(f'[bold red]{escape(str(error))}[/]')
        _say_what_stays(options.output, console)
        return FAILED
    return _report(source, run_options, happened, bag, log, console)


def _play(source, options, run_options, bag: Path, log: Path, console: Console):
    """Play the source into the node, where neither meets anybody else."""
    from xstreamvggt_ros.demo.run import run
    from xstreamvggt_ros.rig.domain import free_domain, isolated

    domain = free_domain() if options.domain is None else options.domain
    console.print(f'playing [bold]{escape(source.title)}[/] into the node')
    if shutil.which('rviz2'):
        # On one line however narrow the terminal, so that it can be copied.
        watch = f'ROS_DOMAIN_ID={domain} ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST rviz2'
        console.print(f'to watch: {watch}', soft_wrap=True)
    lengths = [length for length in (source.length, options.max_frames) if length]
    with isolated(domain), _progress(console, min(lengths, default=None)) as progress:
        return run(source, run_options, bag, log, progress)


def _report(source, run_options, happened, bag: Path, log: Path, console: Console) -> int:
    """Check what was recorded, make the other files of it and print the table."""
    from xstreamvggt_ros.demo.accuracy import measure
    from xstreamvggt_ros.demo.report import make_files, weights_warning
    from xstreamvggt_ros.demo.results import read_results, spread
    from xstreamvggt_ros.demo.summary import judge, summary_table
    from xstreamvggt_ros.rig.driven_node import NODE_NAME
    from xstreamvggt_ros.rig.node_log import warnings
    from xstreamvggt_ros.rig.recording import recorded_streams

    output = log.parent
    with console.status('writing the files'):
        several = int(happened.diagnostics.get('streams', 1)) > 1
        streams = recorded_streams(bag, NODE_NAME) if several else []
        answered = happened.completed_ns.keys()
        shown = spread(answered & set(streams[0]) if streams else answered, SHEET_COLUMNS)
        results = read_results(bag, NODE_NAME, happened.published_ns, shown, streams)
        axes = happened.parameters['output.world_axes']
        accuracy = measure(source, results, axes, happened.distorted)
        make_files(source, happened, results, accuracy, bag.parent)
    problems = judge(happened, results, run_options)
    files = [log]
    if len(results.trajectory):
        files = [*_put_in_place(bag.parent, output), log]
    else:
        _say_what_stays(output, console)
    if warning := weights_warning(happened):
        console.print(Panel(warning, style='bold red'))
    warned = warnings(log.read_text(encoding='utf-8', errors='replace'))
    table = summary_table(happened, results, run_options, problems, files, warned, accuracy)
    console.print(table)
    return FAILED if problems else GOOD


def _put_in_place(folder: Path, output: Path) -> list[Path]:
    """Move what a run made to `output`; nothing of a run before stays among it."""
    for name in RESULTS:
        if not (folder / name).exists():
            (output / name).unlink(missing_ok=True)
    made = [name for name in (*RESULTS, RENDERED_BAG) if (folder / name).exists()]
    return [(folder / name).replace(output / name) for name in made]


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
