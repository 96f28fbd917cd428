# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scores over frames with means of the evicted: what helps motion, and what helps depth."""

from __future__ import annotations

from benchmarks.methods.accumulated import Accumulated, Noted
from benchmarks.methods.compensation import Compensation


class Together(Accumulated, Compensation):
    """Keep by the sum of attention x value over frames; the evicted weigh as much in means."""

    def __init__(self, *arguments, **settings) -> None:
        """Take what `Accumulated` takes."""
        super().__init__(*arguments, **settings)
        self.weighted = True
        if isinstance(self.policy, Noted):
            self.policy = Sum()


class Sum(Noted):
    """The noted sum, which stands for attention as well."""

    @property
    def attention(self) -> Sum:
        """What means are weighted by."""
        return self
