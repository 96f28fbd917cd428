# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream's steady state as one CUDA graph: a frame is then one launch instead of hundreds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
import logging
from typing import Protocol

import torch
from torch import Tensor

from xstreamvggt_ros.cache import StreamCache
from xstreamvggt_ros.ops.capture import Captures
from xstreamvggt_ros.stream.frame import Frame

# A cache, an image (3, H, W), whether to keep it and whether to run the point head, to a frame.
Step = Callable[[StreamCache, Tensor, bool, bool], Frame]
_LOG = logging.getLogger(__name__)


class Graphs(Protocol):
    """What captures steps."""

    def can(self, image: Tensor) -> bool:
        """Whether steps on such an image can be captured."""

    def capture(
        self, step: Callable[[], Frame], device: torch.device
    ) -> tuple[Callable[[], None], Frame]:
        """
        Capture a step on a device without running it: what runs it, and the frame that it writes.

        Raises RuntimeError where it cannot be; the device can then be used as before.
        """

    def release(self) -> None:
        """Give back the memory of what was captured and dropped."""


class CudaGraphs:
    """Captures on CUDA; what is captured shares one pool of memory, for one runs at a time."""

    def __init__(self) -> None:
        """Begin without a device, which the first step tells."""
        self._captures: Captures | None = None

    def can(self, image: Tensor) -> bool:
        """Whether the image is on a CUDA device."""
        return image.is_cuda

    def capture(
        self, step: Callable[[], Frame], device: torch.device
    ) -> tuple[Callable[[], None], Frame]:
        """Capture a step on a device, always the same one."""
        self._captures = self._captures or Captures(device)
        return self._captures.capture(step)

    def release(self) -> None:
        """Give the pool back, once no graph uses it."""
        if self._captures is not None:
            self._captures.release()


@dataclass(frozen=True)
class _Captured:
    """A captured step: what runs it, the frame that it writes, what it evicts and reads."""

    replay: Callable[[], None]
    frame: Frame
    evicted: list[int]
    reads: object


class StepGraph:
    """
    Capture the steps of a stream once its slots are full, and run those from then on.

    Frames that are kept and frames that are not are captured apart, each after it has run once as
    it will be captured, so that kernels are compiled and loaded.
    """

    def __init__(
        self,
        step: Step,
        graphs: Graphs | None = None,
        reads: Callable[[], object] = lambda: None,
    ) -> None:
        """
        Take the step; nothing is captured yet.

        `reads` gives what a step reads that others may replace: it is held as long as the step.
        """
        self._step, self._reads = step, reads
        self._graphs = graphs or CudaGraphs()
        self._works = True
        self._forget()

    def can(self, image: Tensor) -> bool:
        """Whether steps on such an image may be captured."""
        return self._works and self._graphs.can(image)

    def advance(
        self, cache: StreamCache, image: Tensor, keep: bool, point_head: bool
    ) -> Frame | None:
        """
        Run a frame (3, H, W); None where the caller has to, step by step.

        That is on a CPU, while the slots fill, once before a step is captured, and where it could
        not be, which is logged once.
        """
        ready = self.can(image) and cache.full and (keep or cache.captures_unkept)
        if not ready:
            return None
        if self._cache is not cache:
            self.drop()
            self._cache, self._image = cache, image.clone()
            self._clock = torch.zeros((), dtype=torch.int64, device=image.device)
        key = keep, point_head
        if key not in self._seen:
            self._seen.add(key)
            return None
        if key not in self._captured and not self._capture(keep, point_head):
            return None
        return self._run(self._captured[key], image, keep)

    def serves(self, cache: StreamCache | None) -> bool:
        """Whether steps of that cache are captured."""
        return cache is not None and self._cache is cache and bool(self._captured)

    def drop(self) -> None:
        """Forget what was captured, and give its memory back."""
        captured = bool(self._captured)
        self._forget()
        if captured:
            self._graphs.release()

    def _forget(self) -> None:
        self._cache: StreamCache | None = None
        self._image: Tensor | None = None
        self._clock: Tensor | None = None
        self._seen: set[tuple[bool, bool]] = set()
        self._captured: dict[tuple[bool, bool], _Captured] = {}

    def _capture(self, keep: bool, point_head: bool) -> bool:
        cache = self._cache
        self._clock.fill_(cache.steps)

        def step() -> Frame:
            with cache.clocked(self._clock) as evicted:
                frame = self._step(cache, self._image, keep, point_head)
            counted[:] = evicted
            return frame

        counted: list[int] = []
        try:
            replay, frame = self._graphs.capture(step, self._image.device)
        except RuntimeError as error:
            self._works = False
            self.drop()
            _LOG.warning('the step cannot be captured and runs launch by launch: %s', error)
            return False
        self._captured[keep, point_head] = _Captured(replay, frame, counted, self._reads())
        return True

    def _run(self, captured: _Captured, image: Tensor, keep: bool) -> Frame:
        self._image.copy_(image, non_blocking=True)
        self._clock.fill_(self._cache.steps)
        captured.replay()
        if keep:
            self._cache.count(captured.evicted)
        return _copied(captured.frame)


def _copied(frame: Frame) -> Frame:
    """Copy what the next run overwrites, once where two names have it."""
    copies: dict[int, Tensor] = {}
    for field in fields(frame):
        tensor = getattr(frame, field.name)
        if id(tensor) not in copies:
            copies[id(tensor)] = tensor.clone()
    return Frame(*(copies[id(getattr(frame, field.name))] for field in fields(frame)))
