# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node: parameters in, messages out, around a pipeline that knows no ROS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
import os
import signal
import sys
import threading

from xstreamvggt_ros.node.command_line import missing, read

__all__ = ['main', 'ReconstructionNode']


def main(args: Sequence[str] | None = None) -> None:
    """Run the node until it is told to end, torch's threads asleep between frames."""
    arguments = sys.argv if args is None else args
    options = read(arguments)
    # Spinning threads would take the processor from other nodes. OpenMP asks once, when torch is
    # imported, and so nothing here may import it before.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    try:
        with _ending_quietly():
            from xstreamvggt_ros.node.process import main as run
    except ModuleNotFoundError as error:
        missing(error)
    run(arguments, options.autostart)


@contextmanager
def _ending_quietly() -> Iterator[None]:
    """Let a signal end the process at once: to import torch takes seconds, nothing has begun."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {each: signal.signal(each, lambda *_: os._exit(0)) for each in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def __getattr__(name: str) -> object:
    if name == 'ReconstructionNode':
        from xstreamvggt_ros.node.lifecycle import ReconstructionNode

        return ReconstructionNode
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
