# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Child processes that do not outlive the demo."""

from __future__ import annotations

import os
from pathlib import Path
import signal
import subprocess

# What a child is asked to end with, in this order, and how long each is given, in seconds.
STOP_SIGNALS = ((signal.SIGINT, 8.0), (signal.SIGTERM, 3.0), (signal.SIGKILL, 3.0))


class Child:
    """
    Run a command in a process group of its own; use in a with statement, which ends the group.

    Ctrl-C in the terminal therefore reaches the demo alone, which then ends its children in
    order. Standard output and error go to the file `log`.
    """

    def __init__(self, command: list[str], log: Path):
        """Start the command."""
        environment = {
            **os.environ,
            'PYTHONUNBUFFERED': '1',
            # No colour codes in a file.
            'RCUTILS_COLORIZED_OUTPUT': '0',
        }
        with log.open('wb') as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Give the process id, which is that of the group too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Give the exit code, None while the command runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End the command and whatever it started, gently first."""
        for number, seconds in STOP_SIGNALS:
            if self._process.poll() is not None:
                break
            self._signal(number)
            try:
                self._process.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        # The group may hold children of the child that is gone.
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            pass

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_) -> None:
        self.stop()
