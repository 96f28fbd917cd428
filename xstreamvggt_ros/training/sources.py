# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where training sequences come from: a folder of shards, or the renderer itself."""

from __future__ import annotations

import contextlib

import numpy as np
import torch

from xstreamvggt_ros.synthetic import NoFreePlace
from xstreamvggt_ros.training.shards import (
    FRAMES,
    render,
    Sequence,
    ShardFolder,
    SIZE,
    training_config,
)

RESCAN_EVERY = 100


class ShardSource:
    """Sequences of a folder that another process may still be filling."""

    def __init__(self, folder: ShardFolder) -> None:
        """Take the folder; raises FileNotFoundError where it has no shard yet."""
        self.folder = folder
        self._scan()

    def advance(self, step: int) -> None:
        """Look for new shards now and then; raises FileNotFoundError where none is left."""
        if step % RESCAN_EVERY == 0:
            self._scan()

    def pick(self, rng: np.random.Generator) -> Sequence:
        """Draw one sequence; raises FileNotFoundError where no shard is left."""
        while True:
            shard = self._shards[rng.integers(len(self._shards))]
            try:
                sequences = self.folder.read(shard)
                return sequences[rng.integers(len(sequences))]
            except FileNotFoundError:
                # Whoever fills the folder also removes its oldest shards.
                self._scan()
                if shard in self._shards:
                    raise

    def _scan(self) -> None:
        self._shards = self.folder.shards()
        self.folder.forget_removed(self._shards)
        if not self._shards:
            raise FileNotFoundError(
                f'{self.folder.folder} holds no shard; run xstreamvggt_ros.training.prerender '
                'first'
            )


class RenderedPool:
    """
    Sequences rendered on the device of training, one renewed every few steps.

    Which ones are held follows from the step alone, so that a resumed run sees the same.
    """

    def __init__(
        self,
        device: torch.device,
        count: int,
        every: int,
        size: tuple[int, int] = SIZE,
        frames: int = FRAMES,
    ) -> None:
        """Hold `count` sequences; one is renewed every `every` steps."""
        self.device, self.every, self.size, self.frames = device, every, size, frames
        self._slots: list[Sequence | None] = [None] * count
        self._next = 0

    def advance(self, step: int) -> None:
        """Render until the pool is what it is at `step`."""
        stop = len(self._slots) + step // self.every
        for index in range(max(self._next, stop - len(self._slots)), stop):
            self._slots[index % len(self._slots)] = self._render(index)
        self._next = stop

    def pick(self, rng: np.random.Generator) -> Sequence:
        """Draw one sequence."""
        return self._slots[rng.integers(len(self._slots))]

    def _render(self, index: int) -> Sequence:
        # A scene too cluttered for its camera is replaced by one that no other index uses.
        for attempt in range(8):
            config = training_config(8 * index + attempt, self.frames, self.size)
            with contextlib.suppress(NoFreePlace):
                return render(config, self.device)
        raise NoFreePlace(f'no scene for sequence {index}: eight in a row have no free place')
