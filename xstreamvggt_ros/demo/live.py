# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes on while the demo runs: a page in the browser, a camera that somebody has to end."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager, ExitStack
from importlib.util import find_spec
import signal
import sys
import time

from rich.console import Console
from rich.markup import escape

from xstreamvggt_ros.inputs import ImageSequence
from xstreamvggt_ros.inputs.camera import CameraSequence
from xstreamvggt_ros.rig.processes import Child

LOG = 'view.log'
PROGRAM = 'xstreamvggt_ros.view'
ADDRESS = 'view at '
START_S, LOOK_S = 60.0, 0.1
NICE = 5


@contextmanager
def ctrl_c_ends(source: ImageSequence) -> Iterator[None]:
    """
    Have the first Ctrl-C end a camera, so that its files are made, and the next the demo.

    Afterwards Ctrl-C is what it was, and the camera is closed, its images too.
    """
    if not isinstance(source, CameraSequence):
        yield
        return

    def end(number: int, _) -> None:
        signal.signal(number, signal.default_int_handler)
        source.frames.end()

    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        source.frames.close()


@contextmanager
def playing(source: ImageSequence) -> Iterator[None]:
    """Let go of a camera when it was played: its light is out while files are made and seen."""
    try:
        yield
    finally:
        if isinstance(source, CameraSequence):
            source.frames.release()


class Views:
    """The page in the browser, where it was asked for, in a process of its own."""

    def __init__(self, options: argparse.Namespace, console: Console, stack: ExitStack) -> None:
        """Take what was asked for; the stack ends the process."""
        self._options, self._console, self._stack = options, console, stack
        self._child: Child | None = None

    def open(self) -> None:
        """Start the page in the environment of now, and say where it is."""
        if not self._options.view:
            return
        if find_spec('viser') is None:
            install = escape("pip install 'xstreamvggt_ros[view]'")
            self._console.print(f'[bold]no view:[/] viser is not installed: {install}')
            return
        log = self._options.output / LOG
        # Whoever looks when all is done still sees it; and here there is no robot that waits.
        arguments = ['--port', str(self._options.view_port), '--always', '--nice', str(NICE)]
        command = [sys.executable, '-m', PROGRAM, *arguments]
        self._child = self._stack.enter_context(Child(command, log))
        end = time.monotonic() + START_S
        while time.monotonic() < end and self._child.exit_code is None:
            for line in log.read_text(encoding='utf-8', errors='replace').splitlines():
                if line.startswith(ADDRESS):
                    self._console.print(f'[bold]{escape(line)}[/]')
                    return
            time.sleep(LOOK_S)
        self._console.print(f'[bold]no view:[/] see {escape(str(log))}')

    def stay(self) -> None:
        """Leave the page open until Ctrl-C."""
        if self._child is None or self._child.exit_code is not None:
            return
        self._console.print('the view stays open until Ctrl-C')
        try:
            while self._child.exit_code is None:
                time.sleep(LOOK_S)
        except KeyboardInterrupt:
            self._console.print('the view was closed')
