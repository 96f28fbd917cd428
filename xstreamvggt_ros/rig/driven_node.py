# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node as a process of its own, started, configured and stopped from here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
import json
from pathlib import Path
import sys
import time

from xstreamvggt_ros.files.bags import BagWriter
from xstreamvggt_ros.rig.lifecycle import Lifecycle, NodeError
from xstreamvggt_ros.rig.link import Link
from xstreamvggt_ros.rig.pacing import Pacer
from xstreamvggt_ros.rig.processes import Child
from xstreamvggt_ros.rig.recorder import DIAGNOSTICS_S, Recorder

NODE_NAME = 'reconstruction'
NODE_PROGRAM = 'from xstreamvggt_ros.node import main; raise SystemExit(main())'
ACTIVATE_TIMEOUT_S = 30.0
# Map and path are sent with the last diagnostics, and take longer.
WORLD_S = 0.5


def parameters_file(path: Path, values: Mapping[str, object]) -> Path:
    """Write the node's parameters by name; returns the path."""
    # JSON is YAML, and keeps an empty string apart from nothing.
    path.write_text(json.dumps({'/**': {'ros__parameters': values}}), encoding='utf-8')
    return path


def node_command(file: Path | None = None, overrides: Iterable[str] = ()) -> list[str]:
    """Build the command line of a node with a file of parameters, and NAME:=VALUE before them."""
    command = [sys.executable, '-c', NODE_PROGRAM, '--ros-args', '--disable-external-lib-logs']
    if file is not None:
        command += ['--params-file', str(file)]
    for each in overrides:
        command += ['-p', each]
    return command


class DrivenNode:
    """
    A node in a process of its own, as its lifecycle manager has it; use in a with statement.

    While it runs, whatever `link` waits for ends in NodeError should the process end by itself,
    and `watch`, which may be replaced, is called several times a second.
    """

    def __init__(self, link: Link, command: Sequence[str], log: Path):
        """Say how to start it; standard output and error go to the file `log`."""
        self.watch: Callable[[], None] = lambda: None
        self._link = link
        self._command = list(command)
        self._log = log
        self._lifecycle: Lifecycle | None = None

    @property
    def pid(self) -> int:
        """Give the process id."""
        return self._child.pid

    def bring_up(self, patience_s: float, parameters: Iterable[str] = ()) -> None:
        """
        Configure and activate it; NodeError where it fails, or has none of these `parameters`.

        `patience_s` bounds the wait for the network to be loaded.
        """
        self._lifecycle = Lifecycle(self._link, NODE_NAME)
        if names := list(parameters):
            self._lifecycle.refuse_unknown(names)
        self._lifecycle.change('configure', patience_s)
        self._lifecycle.change('activate', ACTIVATE_TIMEOUT_S)

    def deactivate(self, patience_s: float) -> None:
        """Have it end the frame in hand and take no more."""
        self._lifecycle.change('deactivate', patience_s)

    def text_parameters(self, *names: str) -> dict[str, str]:
        """Ask for parameters that are strings."""
        return self._lifecycle.text_parameters(*names)

    def _mind(self) -> None:
        self.watch()
        if self._child.exit_code is not None:
            raise NodeError(f'the node ended by itself, with exit code {self._child.exit_code}')

    def __enter__(self) -> DrivenNode:
        self._child = Child(self._command, self._log)
        self._link.watch = self._mind
        return self

    def __exit__(self, *_) -> None:
        self._link.watch = lambda: None
        self._child.stop()


class RecordedNode:
    """
    A driven node, all of whose outputs are recorded in a bag; use in a with statement.

    `pacer` and `recorder` know what was answered; `node` is not there before `start`.
    """

    def __init__(self, name: str, bag: Path, patience_s: float):
        """Talk to the node as `name`; `patience_s` bounds every wait for the network."""
        self.pacer = Pacer()
        self._name = name
        self._bag = bag
        self._patience_s = patience_s
        self._stack = ExitStack()

    def start(self, command: Sequence[str], log: Path) -> DrivenNode:
        """Start the process, unconfigured."""
        self.node = self._stack.enter_context(DrivenNode(self.link, command, log))
        return self.node

    def finish(self, sent_ns: Iterable[int]) -> None:
        """Wait for what was sent to be answered, deactivate, and record what comes last."""
        self.recorder.await_outputs(set(sent_ns), self._patience_s)
        stopped_at = time.monotonic()
        self.node.deactivate(self._patience_s)
        # The last figures, map and path are sent with the transition and after.
        self.link.spin_until(lambda: self.recorder.diagnostics_at > stopped_at, DIAGNOSTICS_S)
        self.link.spin_for(WORLD_S)
        self.recorder.finish()
        self.node.watch()

    def __enter__(self) -> RecordedNode:
        with ExitStack() as stack:
            self.link = stack.enter_context(Link(self._name))
            bag = stack.enter_context(BagWriter(self._bag))
            # Before the lifecycle's client: that the node answers it implies that the node knows
            # these subscriptions too, so that no first output is lost.
            self.recorder = Recorder(self.link, NODE_NAME, bag, self.pacer)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception) -> bool | None:
        return self._stack.__exit__(*exception)
