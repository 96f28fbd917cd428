# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The program xstreamvggt_view."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import ExitStack
import logging
from pathlib import Path
import signal
import sys
import threading

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.view.contents import PageContents
from xstreamvggt_ros.view.ports import LAST
from xstreamvggt_ros.view.priority import give_way, threads
from xstreamvggt_ros.view.settings import Bounds

GOOD, UNUSABLE = 0, 2
PORT, NICE = 8080, 19
LEAST_RATE, MOST_RATE = 0.1, 100
EVERYBODY = '0.0.0.0'


def main(arguments: list[str] | None = None, ended: threading.Event | None = None) -> int:
    """Serve the page until Ctrl-C, SIGTERM or `ended`; 2 for a bag that cannot be used."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    logging.getLogger('websockets').setLevel(logging.WARNING)
    try:
        import viser  # noqa: F401 said here rather than in a traceback
    except ImportError:
        sys.stderr.write("viser is not installed: pip install 'xstreamvggt_ros[view]'\n")
        return UNUSABLE
    others = threads() - {threading.get_native_id()}
    ended = ended or threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: ended.set())
    with ExitStack() as stack:
        try:
            serve = _replayed if options.bag else _followed
            page, update = serve(options, stack)
        except InputError as error:
            sys.stderr.write(f'{error}\n')
            return UNUSABLE
        stack.callback(page.close)
        sys.stdout.write(f'view at {page.address}\n')
        sys.stdout.flush()
        # Not before: where everybody is busy it would not begin.
        give_way(options.nice, others)
        page.run(update, ended)
    return GOOD


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='xstreamvggt_view',
        description='Show what a reconstruction node sees, in a browser.',
        epilog='Arguments behind --ros-args are those of every ROS 2 program.',
    )
    parser.add_argument('--bag', type=Path, help='a recorded run, such as reconstruction.mcap')
    parser.add_argument(
        '--node',
        type=_name,
        default='',
        help="/ and full name, or a name in this program's namespace; else the one there is",
    )
    parser.add_argument('--camera', type=_name, default='', help='of several; else the first')
    parser.add_argument('--map-frame', default='map', help='the frame of the clouds')
    parser.add_argument(
        '--loop-closures',
        type=_name,
        default='',
        metavar='TOPIC',
        help='of a SLAM system beside: lines in visualization_msgs/MarkerArray or Marker',
    )
    parser.add_argument(
        '--host',
        default='127.0.0.1',
        help=f'address to listen on; {EVERYBODY}: for everybody in the network',
    )
    parser.add_argument('--port', type=_port, default=PORT, help='or the next free one')
    parser.add_argument(
        '--map-points', type=_points, default=Bounds.map_points, help='at most; 0: no map'
    )
    parser.add_argument(
        '--rate', type=_rate, default=Bounds.rate, help='pictures a second, from 0.1 to 100'
    )
    parser.add_argument(
        '--always',
        action='store_true',
        help='take clouds and pictures while no browser looks, too: a node may have ended by then',
    )
    parser.add_argument(
        '--nice',
        type=int,
        choices=range(20),
        default=NICE,
        metavar='0..19',
        help='how far to stand back where node and view want the same core (%(default)s)',
    )
    parser.add_argument('--ros-args', nargs=argparse.REMAINDER, default=[], dest='ros')
    return parser


def _port(text: str) -> int:
    """Read a port; ValueError where it is none."""
    port = int(text)
    if not 0 <= port <= LAST:
        raise argparse.ArgumentTypeError(f'{port} is not from 0, for any that is free, to {LAST}')
    return port


def _name(text: str) -> str:
    """Read a name of ROS; ArgumentTypeError where nothing can be called so."""
    from rclpy.exceptions import NameValidationException
    from rclpy.validate_full_topic_name import validate_full_topic_name

    try:
        validate_full_topic_name(f'/{text.strip("/") or "none"}')
    except NameValidationException as error:
        raise argparse.ArgumentTypeError(f'{text!r} is no name: {error}') from None
    return text


def _points(text: str) -> int:
    """Read a number of points; ValueError where it is none."""
    if (points := int(text)) < 0:
        raise argparse.ArgumentTypeError(f'{points} is below 0, which shows no map')
    return points


def _rate(text: str) -> float:
    """Read pictures a second; ValueError where it is no number."""
    if not LEAST_RATE <= (rate := float(text)) <= MOST_RATE:
        raise argparse.ArgumentTypeError(f'{rate:g} is not from {LEAST_RATE} to {MOST_RATE}')
    return rate


def _page(options, contents: PageContents, actions: dict, waiting_for: str):
    from xstreamvggt_ros.view.page import Page

    bounds = Bounds(map_points=options.map_points, rate=options.rate)
    return Page(contents, options.host, options.port, bounds, actions, waiting_for)


def _followed(options, stack: ExitStack) -> tuple:
    from xstreamvggt_ros.view.following import Following

    contents = PageContents()
    following = Following(
        contents,
        options.node,
        options.camera,
        options.map_frame,
        ['--ros-args', *options.ros],
        options.loop_closures,
    )
    actions = {
        'new stream': lambda: following.trigger('reset'),
        'save': lambda: following.trigger('save'),
        'pause': lambda: following.enable(False),
        'resume': lambda: following.enable(True),
    }
    page = _page(options, contents, actions, following.whom)
    following.watched = lambda: options.always or page.watched
    stack.enter_context(following)
    return page, following.update


def _replayed(options, stack: ExitStack) -> tuple[object, Callable[[], None]]:
    from xstreamvggt_ros.view.replay import Playing, Replay
    from xstreamvggt_ros.view.slider import add_slider

    contents = PageContents()
    replay = stack.enter_context(
        Replay(
            contents,
            options.bag,
            options.node,
            options.camera,
            options.map_frame,
            options.loop_closures,
        )
    )
    playing = Playing(replay)
    page = _page(options, contents, {}, str(options.bag))
    follow = add_slider(page.gui, replay, playing)

    def update() -> None:
        playing.update()
        follow()

    return page, update
