# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The program xstreamvggt_play."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
import signal
import sys

DESCRIPTION = """
Play a rosbag2 (MCAP or sqlite3, zstd too) where ROS's own player is not installed. Messages are
forwarded as they were serialised; topics whose message type is not installed are named and left
out. ROS arguments go behind --ros-args, e.g. -r /camera/image:=/image.
"""
GOOD, UNUSABLE = 0, 2
CLOCK_HZ = 100.0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog='xstreamvggt_play', description=DESCRIPTION)
    add = parser.add_argument
    add('bag', type=Path, help='folder, .mcap or .db3')
    add('--rate', type=_positive, default=1.0, help='seconds of the bag a second (%(default)g)')
    add('--loop', action='store_true', help='begin again at the end')
    add(
        '--clock',
        nargs='?',
        type=_clock,
        const=CLOCK_HZ,
        metavar='HZ',
        help=f'publish /clock, {CLOCK_HZ:g} times a second or HZ; "message": with every message',
    )
    add('--topics', nargs='+', default=[], metavar='TOPIC', help='play these only')
    add(
        '--start',
        type=_seconds,
        default=0.0,
        help='seconds of the bag to skip; latched messages in them are sent all the same',
    )
    add('--duration', type=_positive, default=math.inf, help='seconds of the bag to play')
    add(
        '--wait',
        type=_seconds,
        default=10.0,
        help='seconds to wait for a subscriber before playing all the same (%(default)g)',
    )
    return parser.parse_args(arguments)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'{text} is not above 0')
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f'{text} is below 0')
    return value


def _clock(text: str) -> float:
    return 0.0 if text == 'message' else _positive(text)


def main(arguments: list[str] | None = None) -> int:
    """Play a bag; 0 at its end and by Ctrl-C, 2 for one that cannot be played."""
    # An end by SIGTERM unwinds as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _play(sys.argv[1:] if arguments is None else arguments)
    except ModuleNotFoundError as error:
        print(
            f'xstreamvggt_play: {error}; with ROS 2 sourced: pip install rosbags', file=sys.stderr
        )
        return UNUSABLE
    except KeyboardInterrupt:
        _say('stopped')
        return GOOD


def _play(arguments: list[str]) -> int:
    from rclpy.utilities import remove_ros_args

    options = parse(remove_ros_args(['xstreamvggt_play', *arguments])[1:])

    from xstreamvggt_ros.files.errors import InputError
    from xstreamvggt_ros.rig.bag_player import play_bag, PlayOptions
    from xstreamvggt_ros.rig.link import Link
    from xstreamvggt_ros.transport.shared_memory import roomy_shared_memory

    how = PlayOptions(
        options.rate,
        options.loop,
        options.clock,
        tuple(options.topics),
        options.start,
        options.duration,
        options.wait,
    )
    try:
        with roomy_shared_memory(), Link('xstreamvggt_play', arguments) as link:
            sent = play_bag(link, options.bag, how, _say)
    except InputError as error:
        print(f'xstreamvggt_play: {error}', file=sys.stderr)
        return UNUSABLE
    _say(f'{sent} messages were played')
    return GOOD


def _say(text: str) -> None:
    # At once, though the output may be a pipe to launch.
    print(f'xstreamvggt_play: {text}', flush=True)


if __name__ == '__main__':
    sys.exit(main())
