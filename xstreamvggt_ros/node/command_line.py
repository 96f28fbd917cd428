# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line of reconstruction_node, read before anything large is imported."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
import re
import sys
from typing import NoReturn

from rclpy.utilities import remove_ros_args

PROGRAM = 'reconstruction_node'
USAGE = '%(prog)s [--autostart] [--ros-args -p NAME:=VALUE -r FROM:=TO --params-file FILE ...]'
DESCRIPTION = """
Turn camera images into depth, poses and coloured clouds, as the lifecycle node /reconstruction. It
starts unconfigured, and waits for configure and activate.
"""
EPILOG = """
docs/reference.md lists parameters, topics and services; config/recon.yaml has every parameter
with the value that ships. For example: %(prog)s --autostart --ros-args --params-file
config/recon.yaml -p cache.budget_frames:=8 -r image:=/camera/image_raw
"""


def read(arguments: Sequence[str]) -> argparse.Namespace:
    """Read what is not ROS's; exit with the usage where that is asked for or does not fit."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=USAGE,
        description=DESCRIPTION,
        epilog=EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument(
        '--autostart',
        action='store_true',
        help='configure and activate without being told; where that fails, the log has the fix',
    )
    try:
        words = remove_ros_args(arguments)[1:]
    except RuntimeError as error:
        refuse(error)
    return parser.parse_args(words)


def refuse(error: Exception) -> NoReturn:
    """Exit with what ROS cannot read of the command line or of a parameters file."""
    # Without the places in its sources.
    said = re.sub(r', at \S+:\d+', '', str(error)).replace('\n', ' ')
    sys.exit(f'{PROGRAM}: {said}')


def missing(error: ModuleNotFoundError) -> NoReturn:
    """Exit with what is not installed for this Python, and how to install it."""
    sys.exit(
        f'{PROGRAM}: {error.name} is not installed for {sys.executable}; with an installed ROS 2 '
        'run tools/install_ubuntu.sh, which sets up a Python that has it, else make venv'
    )
