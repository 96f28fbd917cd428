# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is said of a stream of images once, however many of them it holds for."""

from __future__ import annotations

from collections.abc import Callable, Hashable


class Once:
    """Say a thing the first time."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Say it with `tell`, which takes a line for the log."""
        self._tell = tell
        self._told: set[Hashable] = set()

    def tell(self, what: Hashable, text: str) -> None:
        """Say a text unless that of the same thing was said; `what` is of a few things only."""
        if what not in self._told:
            self._told.add(what)
            self._tell(text)
