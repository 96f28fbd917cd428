# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training sequences from a folder of shards, read where they are used."""

from __future__ import annotations

import numpy as np
import torch

from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training.draws import Draw
from xstreamvggt_ros.training.shards import ShardFolder

RESCAN_EVERY = 100


class ShardSource:
    """Sequences of a folder that another process may still be filling."""

    def __init__(self, folder: ShardFolder) -> None:
        """Take the folder; raises FileNotFoundError where it has no shard yet."""
        self.folder = folder
        self._chosen: list[Sequence] = []
        self._scan()

    @property
    def frames(self) -> int:
        """How many frames the sequences chosen last have."""
        return len(self._chosen[0].images)

    def advance(self, step: int) -> None:
        """Look for new shards now and then; raises FileNotFoundError where none is left."""
        if step % RESCAN_EVERY == 0:
            self._scan()

    def choose(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw sequences, for the next gather; FileNotFoundError where no shard is left."""
        self._chosen = [self._choose(rng) for _ in range(count)]
        return np.arange(count)

    def gather(self, drawn: Draw) -> Sequence:
        """Read the frames (B, S, ...) of a draw of the sequences chosen last."""
        found = [
            [part[index.long()] for part in self._chosen[int(number)].parts()]
            for number, index in zip(drawn.sequence, drawn.frame, strict=True)
        ]
        return Sequence(*(torch.stack(parts) for parts in zip(*found, strict=True)))

    def _choose(self, rng: np.random.Generator) -> Sequence:
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
