# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sequences rendered ahead, in files that are mapped into memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from xstreamvggt_ros.synthetic import SequenceConfig
from xstreamvggt_ros.synthetic.held_out import FIRST_TRAINING_SEED, Sequence, SIZE

FRAMES = 32


def training_config(index: int, frames: int = FRAMES, size: tuple[int, int] = SIZE):
    """Draw the `index`-th training sequence's configuration; pace and lenses vary widely."""
    seed = FIRST_TRAINING_SEED + index
    rng = np.random.default_rng(seed)
    return SequenceConfig(
        seed=seed,
        frames=frames,
        height=size[0],
        width=size[1],
        speed=float(np.exp(rng.uniform(np.log(0.6), np.log(2.5)))),
        horizontal_fov=(48.0, 95.0),
        clutter=float(rng.uniform(0.6, 1.2)),
        jpeg=bool(rng.random() < 0.3),
        texture_seed=index // 4096 % 4,
    )


class ShardFolder:
    """Sequences of one length and size, a few to a shard, in a folder; written once each."""

    def __init__(self, folder: Path) -> None:
        """Take a folder; it is made when the first shard is written."""
        self.folder = folder
        self._open: dict[Path, tuple] = {}

    def shards(self) -> list[Path]:
        """Return the complete shards by name."""
        return sorted(self.folder.glob('shard-*.npz'))

    def write(self, name: str, sequences: list[Sequence]) -> None:
        """Write a shard; it appears to readers only when complete."""
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = self.folder / f'shard-{name}'
        np.save(stem.with_suffix('.images.npy'), _stack(sequences, 'images'))
        np.save(stem.with_suffix('.depth.npy'), _stack(sequences, 'depth'))
        partial = stem.with_suffix('.partial.npz')
        np.savez(
            self.folder / f'.{partial.name}',
            camera_from_world=_stack(sequences, 'camera_from_world'),
            intrinsics=_stack(sequences, 'intrinsics'),
        )
        (self.folder / f'.{partial.name}').rename(stem.with_suffix('.npz'))

    def remove(self, shard: Path) -> None:
        """Delete a shard; a reader that has it open keeps it."""
        for suffix in ('.npz', '.images.npy', '.depth.npy'):
            # Another renderer may be removing it, too.
            shard.with_suffix(suffix).unlink(missing_ok=True)

    def forget_removed(self, shards: list[Path]) -> None:
        """Close the shards that are not among `shards`."""
        self._open = {shard: self._open[shard] for shard in shards if shard in self._open}

    def read(self, shard: Path) -> list[Sequence]:
        """Map a shard's sequences; pixels are read from the disk only where they are used."""
        if shard not in self._open:
            parts = _parts(shard, 'c')
            self._open[shard] = [Sequence(*each) for each in zip(*parts, strict=True)]
        return self._open[shard]

    def stacked(self, shard: Path) -> Sequence:
        """Read a shard's sequences into memory as one of parts (N, F, ...)."""
        return Sequence(*_parts(shard, None))


def _parts(shard: Path, mmap_mode: str | None) -> tuple[Tensor, ...]:
    images, depth = (
        np.load(shard.with_suffix(suffix), mmap_mode=mmap_mode)
        for suffix in ('.images.npy', '.depth.npy')
    )
    with np.load(shard) as cameras:
        poses, intrinsics = (cameras[name] for name in ('camera_from_world', 'intrinsics'))
    return tuple(torch.from_numpy(part) for part in (images, depth, poses, intrinsics))


def _stack(sequences: list[Sequence], name: str) -> np.ndarray:
    return torch.stack([getattr(sequence, name) for sequence in sequences]).cpu().numpy()
