# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Why a frame was dropped, in a word to count and a sentence with the fix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import time
import traceback

import torch

from xstreamvggt_ros.cache import BudgetTooSmall
from xstreamvggt_ros.images.errors import ImageError
from xstreamvggt_ros.node.seldom import Seldom
from xstreamvggt_ros.pipeline import FrameError


@dataclass(frozen=True)
class Failure:
    """The word that a dropped frame is counted under, the text for the log, how bad it is."""

    reason: str
    text: str
    serious: bool = True


def describe_failure(error: Exception) -> Failure:
    """Tell what an exception means for the user; one that nobody expected shows its traceback."""
    if isinstance(error, (ImageError, FrameError)):
        return Failure(error.reason, str(error), serious=False)
    if isinstance(error, BudgetTooSmall):
        return Failure('budget_too_small', str(error))
    if isinstance(error, torch.OutOfMemoryError):
        return Failure(
            'out_of_memory',
            f'the device is out of memory ({_first_line(error)}); lower model.image_size or the '
            'budget of the cache, or free memory on the device',
        )
    lines = ''.join(traceback.format_exception(error))
    return Failure('unexpected', f'an image could not be reconstructed:\n{lines}')


class FailureLog:
    """Log failures, each reason at most once in `period` seconds with what it adds up to."""

    def __init__(
        self,
        warn: Callable[[str], None],
        error: Callable[[str], None],
        period: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the two ways of logging, and the time in seconds."""
        self._warn = warn
        self._error = error
        self._seldom = Seldom(period, clock)
        self._silent: dict[str, int] = {}

    def report(self, error: Exception) -> str:
        """Log what an exception means unless that was said just now; return its reason."""
        failure = describe_failure(error)
        if not self._seldom.admits(failure.reason):
            self._silent[failure.reason] = self._silent.get(failure.reason, 0) + 1
            return failure.reason
        more = self._silent.pop(failure.reason, 0)
        text = f'image dropped ({failure.reason}): {failure.text}'
        if more:
            text += f' ({more} more like it since the last such message)'
        # rclpy tells log calls apart by their line, and allows each one severity.
        if failure.serious:
            self._error(text)
        else:
            self._warn(text)
        return failure.reason


def _first_line(error: Exception) -> str:
    return str(error).partition('\n')[0]
