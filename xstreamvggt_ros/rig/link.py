# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ROS node that is spun by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import time

import rclpy
from rclpy.executors import SingleThreadedExecutor


class Link:
    """
    Hold a node and its executor in a context of their own; use in a with statement.

    `watch` is called between any two messages, several times a second; it may raise to end
    whatever is being waited for.
    """

    def __init__(self, name: str, arguments: Sequence[str] = ()):
        """Join the domain of the environment as `name`; `arguments` are those after --ros-args."""
        self.watch: Callable[[], None] = lambda: None
        self._context = rclpy.Context()
        # Not those of the process, and no log file is wanted in the home folder.
        self._context.init(args=list(arguments), initialize_logging=False)
        self.node = rclpy.create_node(name, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def spin_until(
        self, condition: Callable[[], bool], timeout_s: float, step_s: float = 0.05
    ) -> bool:
        """
        Handle what arrives until `condition` holds; say whether it did before the timeout.

        `step_s` bounds how late a condition is noticed that no message brings about.
        """
        deadline = time.monotonic() + timeout_s
        while not condition():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return False
            self.watch()
            self._executor.spin_once(timeout_sec=min(step_s, remaining))
        return True

    def spin_for(self, duration_s: float) -> None:
        """Handle what arrives for a while."""
        self.spin_until(lambda: False, duration_s)

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        self._context.try_shutdown()
