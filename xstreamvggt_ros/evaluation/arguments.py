# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of evaluation."""

from __future__ import annotations

import argparse
from collections import Counter
import os
from pathlib import Path

from xstreamvggt_ros.cache.attention import BACKENDS
from xstreamvggt_ros.evaluation.cache_options import (
    add_cache_options,
    cache_axes,
    cache_config,
)
from xstreamvggt_ros.evaluation.plan import SequenceSpec
from xstreamvggt_ros.evaluation.protocol import Protocol
from xstreamvggt_ros.evaluation.run_config import QUEUES, RunConfig
from xstreamvggt_ros.guard import ON_FAILURE
from xstreamvggt_ros.inputs import LAYOUTS
from xstreamvggt_ros.model.model_config import PRESETS
from xstreamvggt_ros.pipeline import POINT_SOURCES
from xstreamvggt_ros.scores.depth import SCOPES
from xstreamvggt_ros.scores.points import ALIGNMENTS
from xstreamvggt_ros.stream.loading import DTYPES

DESCRIPTION = 'Evaluate by replay: sequences in, figures that others can reproduce out.'


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog='xstreamvggt_evaluate', description=DESCRIPTION)
    commands = parser.add_subparsers(dest='command', required=True)
    _run(commands.add_parser('run', help='replay sequences, in every combination of settings'))
    _score(commands.add_parser('score', help='score finished runs anew, without running them'))
    _report(commands.add_parser('report', help='make the page, CSV and JSON of finished runs'))
    _export(commands.add_parser('export', help='write a run for Rerun or Foxglove'))
    return parser.parse_args(arguments)


def run_config(options: argparse.Namespace) -> RunConfig:
    """Take the settings that all runs share; ValueError as `RunConfig` has it."""
    return RunConfig(
        mode='live' if options.live else 'exact',
        cache=cache_config(options),
        camera_info=not options.no_camera_info,
        **{name: getattr(options, name) for name in _SHARED},
    )


def axes(options: argparse.Namespace) -> dict[str, list[object]]:
    """Take the settings that runs differ in, as far as they are given."""
    return {**cache_axes(options), 'image_size': options.image_size}


def specs(options: argparse.Namespace) -> list[SequenceSpec]:
    """Take the sequences; ValueError for an option with two values."""
    layout_options = tuple(options.option)
    for name, count in Counter(name for name, _ in layout_options).items():
        if count > 1:
            raise ValueError(
                f'--option {name} is given {count} times; give it once, and make a run for each'
            )
    return [SequenceSpec(path, options.layout, layout_options) for path in options.inputs]


def protocol(options: argparse.Namespace) -> Protocol:
    """Take how runs are scored; ValueError as `Protocol` has it."""
    return Protocol(
        options.max_depth, options.depth_per, options.delta_m, options.points, options.max_points
    )


_SHARED = (
    'preset',
    'checkpoint',
    'revision',
    'device',
    'dtype',
    'attention',
    'point_source',
    'keyframe_threshold',
    'on_failure',
    'stride',
    'max_frames',
    'queue',
    'rate',
    'depth_mib',
)


def _run(parser: argparse.ArgumentParser) -> None:
    default = RunConfig()
    add = parser.add_argument
    add(
        'inputs', nargs='+', metavar='INPUT', help='folder of a data set, bag, or synthetic:<seed>'
    )
    layouts = ('auto', 'synthetic', *LAYOUTS)
    add('--layout', default='auto', choices=layouts, metavar='NAME', help=', '.join(layouts))
    add(
        '--option',
        action='append',
        default=[],
        type=_option,
        metavar='NAME=VALUE',
        help='an option of the layout, e.g. topic=/camera/image_raw; may be repeated',
    )
    _output(add)
    network = parser.add_argument_group('network').add_argument
    network('--preset', default=default.preset, choices=tuple(PRESETS))
    network(
        '--checkpoint',
        default=default.checkpoint,
        help='file, repository or "random"; the bundled one unless given',
    )
    network(
        '--revision',
        default=default.revision,
        metavar='COMMIT',
        help='of the Hugging Face repository, which needs one',
    )
    network('--device', default=default.device)
    network('--dtype', default=default.dtype, choices=('auto', *DTYPES))
    network('--attention', default=default.attention, choices=BACKENDS)
    add_cache_options(parser)
    add('--image-size', nargs='+', type=int, default=[0], help="long sides; 0: the preset's")
    add('--no-reference', action='store_true', help='do not add the unbounded, unrounded cache')
    _replay(parser.add_argument_group('replay').add_argument, default)
    _means(parser.add_argument_group('where it runs').add_argument)
    _protocol(parser)
    add('--no-report', action='store_true', help='make no page of the runs')


def _replay(add, default: RunConfig) -> None:
    add('--live', action='store_true', help='through the node, under /clock; needs ROS 2')
    add('--queue', default=default.queue, choices=QUEUES, help='of the node; with --live')
    add('--rate', type=float, default=1.0, help='seconds of the input a second; with --live')
    add('--stride', type=int, default=1, help='take every n-th frame')
    add('--max-frames', type=int, default=0, help='take so many frames; 0: all')
    add('--no-camera-info', action='store_true', help='use predicted intrinsics throughout')
    add('--point-source', default=default.point_source, choices=POINT_SOURCES)
    add('--keyframe-threshold', type=float, help='remember keyframes only; the default is all')
    add('--on-failure', default=default.on_failure, choices=ON_FAILURE)
    add(
        '--depth-mib',
        type=float,
        default=default.depth_mib,
        help='MiB of depth maps that a run keeps, uncompressed; beyond, every n-th pixel',
    )


def _means(add) -> None:
    cpus = os.cpu_count() or 1
    add('--jobs', type=_positive, default=1, help='processes side by side (%(default)s)')
    add('--threads', type=_positive, help=f'CPU threads of each (all {cpus}, shared by --jobs)')
    add('--ray-address', default='', help="Ray cluster to run on: 'auto', 'local' or host:port")


def _protocol(parser: argparse.ArgumentParser) -> None:
    default = Protocol()
    add = parser.add_argument_group('scoring').add_argument
    add('--max-depth', type=float, default=0.0, help="metres that count; 0: the data set's usual")
    add('--depth-per', default=default.per, choices=SCOPES, help='what one alignment is for')
    add('--delta-m', type=float, default=default.delta_m, help='metres of the second RPE')
    add('--points', default=default.points, choices=ALIGNMENTS, help='alignment of clouds')
    add('--max-points', type=_positive, default=default.max_points, help='of each cloud')


def _score(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('folders', nargs='+', type=Path, help='records, or folders of them')
    _protocol(parser)


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('folder', type=Path, help='folder of finished runs')
    parser.add_argument('--output', type=Path, help='folder for the files (the same)')
    parser.add_argument('--title', default='')


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument('record', type=Path, help='folder of one finished run')
    parser.add_argument('--rerun', type=Path, metavar='FILE.rrd')
    parser.add_argument('--mcap', type=Path, metavar='FILE.mcap')


def _output(add) -> None:
    add('--output', type=Path, default=Path('out/evaluation'), help='folder (%(default)s)')


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'{text} is not at least 1')
    return value


def _option(text: str) -> tuple[str, str]:
    """Read NAME=VALUE; the layout knows what kind of value it is."""
    name, separator, value = text.partition('=')
    if not name or not separator:
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=VALUE')
    return name, value
