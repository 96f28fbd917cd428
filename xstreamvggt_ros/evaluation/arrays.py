# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a record keeps as arrays, and their files."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar
import zipfile

import numpy as np

# More than this is no record of ours, whatever its files say.
MOST_BYTES = 8 * 2**30
UNREADABLE = zipfile.BadZipFile, zipfile.LargeZipFile


@dataclass(frozen=True, eq=False)
class _Arrays:
    """Arrays of one compressed file, by the names of the fields."""

    FILE: ClassVar[str]

    def save(self, folder: Path) -> None:
        """Write the file."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        np.savez_compressed(folder / self.FILE, **arrays)

    @classmethod
    def load(cls, folder: Path) -> Any:
        """Read the file; ValueError or OSError where it is not what `save` wrote."""
        path = folder / cls.FILE
        try:
            with zipfile.ZipFile(path) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                    raise ValueError(f'{path} would take more than {MOST_BYTES >> 30} GiB')
            with np.load(path, allow_pickle=False) as file:
                return cls(**{field.name: file[field.name] for field in fields(cls)})
        except (*UNREADABLE, KeyError, EOFError, MemoryError) as error:
            raise ValueError(f'{path} is damaged: {error}') from error


@dataclass(frozen=True, eq=False)
class FrameArrays(_Arrays):
    """
    What is known of each of the F frames of a run; numbers are NaN where there is none.

    stamps_ns (F,) int64; names, statuses, reasons, verdicts (F,) text; worlds (F,) int32, -1 where
    no estimate. poses (F, 4, 4) and true_poses: world from optical frame, each in its own world,
    metres. intrinsics (F, 3, 3) and true_intrinsics: pixels of the network's picture. latency_s,
    cpu_s, cache_tokens, cache_evicted, cache_bytes, resident_bytes, device_bytes (F,): see `Cost`.
    """

    FILE: ClassVar[str] = 'frames.npz'

    stamps_ns: np.ndarray
    names: np.ndarray
    statuses: np.ndarray
    reasons: np.ndarray
    verdicts: np.ndarray
    worlds: np.ndarray
    poses: np.ndarray
    true_poses: np.ndarray
    intrinsics: np.ndarray
    true_intrinsics: np.ndarray
    latency_s: np.ndarray
    cpu_s: np.ndarray
    cache_tokens: np.ndarray
    cache_evicted: np.ndarray
    cache_bytes: np.ndarray
    resident_bytes: np.ndarray
    device_bytes: np.ndarray

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.stamps_ns)

    @property
    def main_world(self) -> int:
        """Give the number of the stream that has most frames; -1 where there is none."""
        worlds, counts = np.unique(self.worlds[self.worlds >= 0], return_counts=True)
        return int(worlds[counts.argmax()]) if len(worlds) else -1

    def poses_of(self, world: int) -> np.ndarray:
        """Give the poses (F, 4, 4), NaN those of other streams."""
        return np.where((self.worlds == world)[:, None, None], self.poses, np.nan)


@dataclass(frozen=True, eq=False)
class DepthArrays(_Arrays):
    """
    Depth maps of every frame: (F, h, w) float32 metres, NaN where there is none.

    They are every `stride`-th pixel of the network's picture, each way; see `depth_stride`.
    """

    FILE: ClassVar[str] = 'depth.npz'

    estimates: np.ndarray
    truths: np.ndarray
    stride: np.ndarray


@dataclass(frozen=True, eq=False)
class PointArrays(_Arrays):
    """
    N points spread over the frames, with the true points of the same pixels.

    points (N, 3) float32 in the run's world; truths (N, 3) in the data set's, NaN where unknown;
    colours (N, 3) uint8; confidences (N,) float32; frames (N,) int32.
    """

    FILE: ClassVar[str] = 'points.npz'

    points: np.ndarray
    truths: np.ndarray
    colours: np.ndarray
    confidences: np.ndarray
    frames: np.ndarray


def depth_stride(frames: int, height: int, width: int, most_bytes: float) -> int:
    """Give the least stride at which estimates and truths of all frames take most_bytes."""
    stride = 1
    while 8 * frames * -(-height // stride) * -(-width // stride) > most_bytes:
        if stride >= max(height, width):
            break
        stride += 1
    return stride


def thinned_intrinsics(intrinsics: np.ndarray, stride: int) -> np.ndarray:
    """Take intrinsics (3, 3) to every stride-th pixel, the first of them stride // 2."""
    thinned = np.array([[1 / stride, 0, 0], [0, 1 / stride, 0], [0, 0, 1]]) @ intrinsics
    thinned[:2, 2] -= (stride // 2) / stride
    return thinned
