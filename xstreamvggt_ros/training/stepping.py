# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
Losses and gradients of a batch, on CUDA as one captured graph.

A step of a small network is some thousand kernels of microseconds, each of which the host takes
longer to launch than the device to run. Captured once for each shape of a batch, they are launched
as one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import logging

import torch
from torch import Tensor

from xstreamvggt_ros.ops.capture import Captures
from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training.augmentation import photometric
from xstreamvggt_ros.training.batches import make_batch
from xstreamvggt_ros.training.config import Stage
from xstreamvggt_ros.training.draws import Draw
from xstreamvggt_ros.training.objective import Objective

LOGGER = logging.getLogger(__name__)
# What allocates, compiles and chooses kernels does so in the first calls.
WARM_UPS = 3


@dataclass(frozen=True)
class StepOutcome:
    """Losses by name with their weighted sum as 'loss', and a gradient or None a parameter."""

    losses: dict[str, Tensor]
    gradients: list[Tensor | None]


class Stepping:
    """
    From the numbers drawn for a batch to its losses and gradients.

    Everything between happens on the device: the frames are gathered there, too.
    """

    def __init__(
        self,
        objective: Objective,
        parameters: list[Tensor],
        frames: Callable[[Draw], Sequence],
        generator: torch.Generator | None = None,
    ) -> None:
        """Take where frames (B, S, ...) come from, and whose noise it is; None: the device's."""
        self.objective, self.parameters = objective, parameters
        self.frames, self.generator = frames, generator

    def __call__(self, flat: Tensor, shape: tuple[int, int], stage: Stage) -> StepOutcome:
        """Compute those of a Draw laid flat, whose batch has that shape (B, S)."""
        drawn = Draw.from_flat(flat, shape)
        mirrored = drawn.mirrored > 0
        batch = make_batch(self.frames(drawn), stage.size, drawn.zoom, mirrored)
        images = photometric(batch.images, drawn, self.generator)
        losses = self.objective.losses(batch, images, drawn.order.long(), stage)
        total = self.objective.total(losses)
        gradients = torch.autograd.grad(total, self.parameters, allow_unused=True)
        losses = {name: value.detach() for name, value in losses.items()}
        return StepOutcome({**losses, 'loss': total.detach()}, list(gradients))


class Captured:
    """
    A Stepping whose work is captured once a shape and replayed from then on; for CUDA.

    What cannot be captured is said once and runs as it is.
    """

    def __init__(self, stepping: Stepping, reads: Callable[[], object] = lambda: None) -> None:
        """Take what to capture, and what gives the tables that it reads, which are then held."""
        self._stepping, self._reads = stepping, reads
        self._stage: Stage | None = None
        self._graphs: dict[tuple[int, int], tuple] = {}
        self._captures: Captures | None = None
        self._able = True

    def __call__(self, flat: Tensor, shape: tuple[int, int], stage: Stage) -> StepOutcome:
        """Compute as Stepping does; the outcome lasts until the next call."""
        if stage != self._stage:
            # Images are of another size.
            self._stage, self._graphs = stage, {}
            if self._captures is not None:
                self._captures.release()
        if self._able and shape not in self._graphs:
            self._capture(flat, shape)
        if not self._able:
            return self._stepping(flat, shape, stage)
        replay, kept, outcome, _ = self._graphs[shape]
        kept.copy_(flat)
        replay()
        return outcome

    @property
    def graphs(self) -> int:
        """How many shapes of the present stage are captured."""
        return len(self._graphs)

    def _capture(self, flat: Tensor, shape: tuple[int, int]) -> None:
        kept = flat.clone()
        self._captures = self._captures or Captures(flat.device)

        def step() -> StepOutcome:
            return self._stepping(kept, shape, self._stage)

        self._captures.warm(step, WARM_UPS)
        try:
            replay, outcome = self._captures.capture(step)
        except RuntimeError as error:
            LOGGER.warning('a step cannot be captured and runs kernel by kernel: %s', error)
            self._able = False
            return
        self._graphs[shape] = replay, kept, outcome, self._reads()
