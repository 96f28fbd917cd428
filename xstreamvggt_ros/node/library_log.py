# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the rooms without ROS say through Python's logging, in the node's log."""

from __future__ import annotations

import logging

from rclpy.lifecycle import LifecycleNode

PACKAGE = 'xstreamvggt_ros'


class LibraryLog(logging.Handler):
    """Say in a node's log what the package logs, from `INFO` on, until it is closed."""

    def __init__(self, node: LifecycleNode) -> None:
        """Begin to listen."""
        super().__init__(logging.INFO)
        self._node = node
        self._logger = logging.getLogger(PACKAGE)
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Say one line; rclpy wants a place of its own for every severity."""
        text = record.getMessage()
        if record.levelno >= logging.ERROR:
            self._node.get_logger().error(text)
        elif record.levelno >= logging.WARNING:
            self._node.get_logger().warning(text)
        else:
            self._node.get_logger().info(text)

    def close(self) -> None:
        """Listen no more."""
        self._logger.removeHandler(self)
        super().close()
