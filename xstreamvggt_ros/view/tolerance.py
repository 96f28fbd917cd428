# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What cannot be shown is said once, and the rest is shown."""

from __future__ import annotations

from collections.abc import Callable
import logging

LOGGER = logging.getLogger(__name__)


class Tolerance:
    """Runs what reads messages, whoever may have sent them."""

    def __init__(self) -> None:
        """Begin without a complaint."""
        self._said: set[str] = set()

    def run(self, name: str, read: Callable[[], None]) -> None:
        """Run it; a message that cannot be read is logged, once for each name."""
        try:
            read()
        except Exception as error:  # noqa: BLE001 what others may send raises nearly anything
            self.tell(name, error)

    def tell(self, name: str, error: Exception) -> None:
        """Log that a message cannot be read, once for each name."""
        if name not in self._said:
            self._said.add(name)
            LOGGER.warning('%s cannot be shown: %s', name, error)
