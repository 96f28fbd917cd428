# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the rooms without ROS say through Python's logging, in the node's log."""

from __future__ import annotations

import logging
import weakref

from rclpy.lifecycle import LifecycleNode

PACKAGE = 'xstreamvggt_ros'


class LibraryLog(logging.Handler):
    """
    Say in a node's log what the package logs, from `INFO` on, until it is closed.

    Nobody knows of a line which node of a process it is about: the oldest one says it, once.
    """

    def __init__(self, node: LifecycleNode) -> None:
        """Begin to listen."""
        super().__init__(logging.INFO)
        # The logger outlives a node that nobody has destroyed, and must not keep it.
        self._node = weakref.ref(node)
        self._logger = logging.getLogger(PACKAGE)
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Say one line; rclpy wants a place of its own for every severity."""
        node = self._node()
        if node is None or not self._is_oldest():
            return
        text = record.getMessage()
        if record.levelno >= logging.ERROR:
            node.get_logger().error(text)
        elif record.levelno >= logging.WARNING:
            node.get_logger().warning(text)
        else:
            node.get_logger().info(text)

    def close(self) -> None:
        """Listen no more."""
        self._logger.removeHandler(self)
        super().close()

    def _is_oldest(self) -> bool:
        """Whether nobody else listens since longer."""
        others = [each for each in self._logger.handlers if isinstance(each, LibraryLog)]
        living = [each for each in others if each._node() is not None]
        return bool(living) and living[0] is self
