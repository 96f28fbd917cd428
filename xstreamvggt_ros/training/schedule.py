# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far a run has come: by its steps, or by the clock."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Protocol


class Schedule(Protocol):
    """Tells the share of a run that is done, 0 to 1."""

    def progress(self, step: int) -> float:
        """Return the share done before `step`."""

    def since(self, warmup: int, step: int) -> float:
        """Return the share done of what comes behind the first `warmup` steps."""


class Steps:
    """A run of so many steps."""

    def __init__(self, steps: int) -> None:
        """Take the length of the run."""
        self.steps = steps

    def progress(self, step: int) -> float:
        """Return the share done before `step`."""
        return step / self.steps

    def since(self, warmup: int, step: int) -> float:
        """Return the share done of what comes behind the first `warmup` steps."""
        return (step - warmup) / max(1, self.steps - warmup)


class Minutes:
    """
    A run of so many minutes, however many steps they are.

    The clock runs from `start` on; where a run goes on, what it took before counts.
    """

    def __init__(
        self, minutes: float, spent: float = 0.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take the length of the run and the seconds that it has had."""
        if minutes <= 0:
            raise ValueError(f'minutes is {minutes}; give more than 0')
        self.seconds, self._clock, self._before = 60 * minutes, clock, spent
        self._begun = clock()
        self._warm: float | None = None

    def start(self, spent: float = 0.0) -> None:
        """Let the clock run from now on."""
        self._before, self._begun = spent, self._clock()

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return self._before + self._clock() - self._begun

    def progress(self, step: int) -> float:
        """Return the share of the time that is over."""
        return min(1.0, self.spent / self.seconds)

    def since(self, warmup: int, step: int) -> float:
        """Return the share that is over of the time behind the first `warmup` steps."""
        now = self.progress(step)
        if self._warm is None:
            # Nobody knows when a run that goes on was warm; by then it was not long under way.
            self._warm = now if step <= warmup else 0.0
        return (now - self._warm) / max(1e-9, 1 - self._warm)
