# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What became of a frame under the guard."""

from __future__ import annotations

from dataclasses import dataclass

from xstreamvggt_ros.guard.alignment import Alignment
from xstreamvggt_ros.guard.verdict import Verdict


@dataclass(frozen=True, eq=False)
class GuardReport:
    """
    What became of the last frame.

    action: 'none'; 'not_kept' (a bad image, attended and not remembered); 'reset' (this frame is
    the first of a new world); 'reanchored' (a new stream goes on in the same world, by
    `alignment`); 'lost' (a new world, because fewer than two frames joined it to the old).
    world counts the worlds that failures began, segment the streams chained in this one.
    """

    verdict: Verdict
    action: str
    world: int
    segment: int
    alignment: Alignment | None = None

    @property
    def level(self) -> str:
        """Return 'ok', 'warn' or 'error', as diagnostics grade it."""
        if self.action == 'lost':
            return 'error'
        return 'ok' if self.verdict.ok and self.action == 'none' else 'warn'

    def __str__(self) -> str:
        """Return the sentence that diagnostics show."""
        if self.action == 'lost':
            return (
                f'the stream failed and could not be chained: map closed as segment {self.world}'
            )
        if self.action == 'reset':
            return f'the stream failed: a new one begins, world {self.world}'
        if self.action == 'reanchored':
            joined = self.alignment
            return (
                f'the stream failed: segment {self.segment} chained by {len(joined.agreed)} '
                f'frames, scale {joined.similarity.scale:.4g}, place error '
                f'{100 * joined.place_error:.1f} % of the depth'
            )
        return str(self.verdict)
