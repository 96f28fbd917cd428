# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
No more is sent to browsers than they draw.

A browser takes from the network what it has no time to draw, and keeps it: one that drew a tenth
of what it was sent grew by 100 MiB a minute. So each is asked, behind what it was sent, for a word
that it answers once it has come to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

import viser

# A page that is frozen holds up the others no longer than that.
PATIENCE_S = 5.0
# Asked at once; who is beyond waits for an answer of those before.
MOST_ASKED = 16


class Pace:
    """Says whether every browser has drawn what it was sent."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        """Wait for nobody longer than `patience_s`."""
        self._patience_s = patience_s
        self._pool = ThreadPoolExecutor(MOST_ASKED, thread_name_prefix='pace')
        self._asked: list[Future] = []

    @property
    def waiting(self) -> bool:
        """Whether anybody has not drawn yet what was sent before `ask`."""
        return not all(each.done() for each in self._asked)

    def ask(self, clients: Iterable[viser.ClientHandle]) -> None:
        """Have these answer when they have drawn what they were sent."""
        self._asked = [self._pool.submit(self._answered, client) for client in clients]

    def close(self) -> None:
        """Wait for nobody any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answered(self, client: viser.ClientHandle) -> None:
        # Gone, too slow, or without a store, which is an answer too.
        with suppress(RuntimeError, TimeoutError):
            client.local_storage.get_item('drawn', timeout=self._patience_s)
