# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The program: `ros2 run xstreamvggt_ros evaluate`, `python -m xstreamvggt_ros.evaluation`."""

from __future__ import annotations

from io import TextIOWrapper
import logging
import os
import signal
import sys

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape

UNUSABLE, INTERRUPTED = 2, 130


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 good, 1 something failed, 2 unusable input, 130 interrupted."""
    # torch's threads sleep between frames instead of spinning beside the other processes'; it
    # reads this when it is loaded, here and in them.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    from xstreamvggt_ros.evaluation import commands
    from xstreamvggt_ros.evaluation.arguments import parse

    options = parse(arguments)
    # Files may have names that are no text; notebooks' output takes what it gets.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors='backslashreplace')
    console = Console(highlight=False, soft_wrap=True)
    logger = logging.getLogger('xstreamvggt_ros')
    handler = RichHandler(console=console, show_time=False, show_path=False)
    logger.addHandler(handler)
    # An end by SIGTERM unwinds as Ctrl-C does, so that no worker stays behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return getattr(commands, options.command)(options, console)
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        # Their messages are written for the user.
        console.print(f'[bold red]{escape(str(error))}[/]')
        return UNUSABLE
    except KeyboardInterrupt:
        console.print('\ninterrupted; what is finished stays, the same command goes on from there')
        return INTERRUPTED
    finally:
        logger.removeHandler(handler)


if __name__ == '__main__':
    sys.exit(main())
