# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of the demo."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = """
Play images into the reconstruction node over DDS and make files of what comes back: a bag, a
trajectory (TUM), a coloured cloud (PLY) and a contact sheet (PNG). Without an input, a room is
rendered, whose depth and poses are known exactly.
"""
RENDERED_FRAMES = 48


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog='xstreamvggt_demo', description=DESCRIPTION)
    add = parser.add_argument
    add(
        '--input',
        type=Path,
        help='rosbag (folder, .mcap, .db3), folder of images or of a data set, video, or camera '
        '(camera:1, /dev/video1): until Ctrl-C, after which the files are made',
    )
    add(
        '--view',
        action='store_true',
        help='show it in the browser meanwhile, and until Ctrl-C afterwards',
    )
    add('--view-port', type=int, default=8080, help='of the page, or the next free one')
    add('--topic', default='', help='image topic of a bag that has several')
    add(
        '--option',
        action='append',
        type=_option,
        default=[],
        metavar='NAME=VALUE',
        help='an option of the input as in evaluation, e.g. truth=/odom; may be repeated',
    )
    add(
        '--max-frames',
        type=_count,
        default=0,
        help=f'images to play; default: all, or {RENDERED_FRAMES} rendered ones',
    )
    add(
        '--stride',
        type=_count,
        default=1,
        help='play every n-th image of the input (%(default)s: all)',
    )
    add(
        '--force',
        action='store_true',
        help='write over the results of another input; otherwise the folder gets a number',
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


def _option(text: str) -> tuple[str, str]:
    name, assigned, value = text.partition('=')
    if not (name and assigned):
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=VALUE')
    return name, value


def _domain(text: str) -> int:
    if not (text.isdecimal() and int(text) <= 232):
        raise argparse.ArgumentTypeError(f'{text!r} is no whole number from 0 to 232')
    return int(text)
