# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stream's steady state as one CUDA graph: a frame is then one launch instead of thousands."""

from __future__ import annotations

from dataclasses import dataclass, replace
import logging

import torch
from torch import Tensor

from xstreamvggt_ros.cache import StreamCache
from xstreamvggt_ros.model import Predictions, StreamVGGT

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Captured:
    """A captured step of one cache, the tensors that it reads and gives, and what it counts."""

    graph: torch.cuda.CUDAGraph
    cache: StreamCache
    point_head: bool
    image: Tensor
    clock: Tensor
    predictions: Predictions
    evicted: list[int]

    def run(self, image: Tensor) -> Predictions:
        self.image.copy_(image, non_blocking=True)
        self.clock.fill_(self.cache.steps)
        self.graph.replay()
        self.cache.count(self.evicted)
        return _copied(self.predictions)


class StepGraph:
    """Capture a model's step once its cache is full, and run that from then on."""

    def __init__(self, model: StreamVGGT) -> None:
        """Take the model; nothing is captured yet."""
        self._model = model
        self._captured: _Captured | None = None
        self._works = True

    def advance(self, cache: StreamCache, image: Tensor, point_head: bool) -> Predictions | None:
        """
        Run a frame (3, H, W) that is kept; None where the caller has to, step by step.

        That is on a CPU, while the cache fills, and where the step could not be captured, which is
        logged once.
        """
        if not (self._works and image.is_cuda and cache.full):
            return None
        fits = self._captured is not None and (
            self._captured.cache is cache and self._captured.point_head == point_head
        )
        if not fits:
            if self._captured is not None:
                _LOG.info('the captured step is of another stream or heads; it is captured anew')
            # Gives its memory back first.
            self._captured = None
            self._captured = self._capture(cache, image, point_head)
        return None if self._captured is None else self._captured.run(image)

    def _capture(self, cache: StreamCache, image: Tensor, point_head: bool) -> _Captured | None:
        graph, image = torch.cuda.CUDAGraph(), image.clone()
        clock = torch.full((), cache.steps, dtype=torch.int64, device=image.device)
        try:
            with cache.clocked(clock) as evicted, torch.cuda.graph(graph), cache.frame():
                predictions = self._model.advance(image[None, None], cache, False, point_head)
        except RuntimeError as error:
            self._works = False
            _LOG.warning('the step cannot be captured and runs launch by launch: %s', error)
            return None
        return _Captured(graph, cache, point_head, image, clock, predictions, evicted)


def _copied(predictions: Predictions) -> Predictions:
    """Copy what the next run overwrites."""
    changes = {
        name: value.clone()
        for name, value in vars(predictions).items()
        if isinstance(value, Tensor)
    }
    encodings = [each.clone() for each in predictions.pose_encodings]
    return replace(predictions, pose_encodings=encodings, **changes)
