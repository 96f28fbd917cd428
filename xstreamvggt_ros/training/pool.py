# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training sequences held on the device, filled from a folder while training goes on."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
from pathlib import Path
import queue
import threading
import time

import numpy as np
import torch

from xstreamvggt_ros.synthetic.held_out import Sequence
from xstreamvggt_ros.training.draws import Draw
from xstreamvggt_ros.training.shards import ShardFolder

# How often the folder is looked at, in seconds, and how many shards are read ahead.
LOOK_EVERY, READ_AHEAD = 0.5, 2
# Of a device's free memory, what sequences may take.
SHARE = 0.4
BYTES_A_PIXEL = 3 + 2


class DevicePool:
    """
    As many sequences as there is room for, the oldest replaced by those rendered meanwhile.

    A batch is one gather. A thread reads shards as they appear; only `advance` changes what is
    held, in the order in which the device works, so that no batch sees half a sequence.
    """

    def __init__(
        self, folder: ShardFolder, device: torch.device, capacity: int, least: int = 1
    ) -> None:
        """
        Hold up to `capacity` sequences of a folder; `start` waits for `least` of them.

        All sequences must be as long and as large as the first ones.
        """
        self.device, self.capacity, self.least = device, capacity, min(least, capacity)
        self.held, self.frames = 0, 0
        self._places: Sequence | None = None
        self._next = 0
        self._reader = _Reader(folder, pinned=device.type == 'cuda')

    def start(self, waiting: Callable[[], None], seconds: float = 600.0) -> None:
        """
        Wait for the first sequences, `waiting` being called meanwhile.

        TimeoutError where they do not come.
        """
        end = time.monotonic() + seconds
        while self.held < self.least:
            shard = self._reader.next(timeout=LOOK_EVERY)
            if shard is not None:
                self._take(shard)
                continue
            waiting()
            if time.monotonic() > end:
                raise TimeoutError(
                    f'{self._reader.folder.folder} has {self.held} of {self.least} sequences '
                    f'after {seconds:.0f} s; is anything rendering into it?'
                )

    def close(self) -> None:
        """Stop reading."""
        self._reader.stop()

    def advance(self, step: int) -> None:
        """Take over a shard that was read meanwhile."""
        shard = self._reader.next(timeout=None)
        if shard is not None:
            self._take(shard)

    def choose(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Draw sequences among those held."""
        return rng.integers(self.held, size=count)

    def gather(self, drawn: Draw) -> Sequence:
        """Give the frames (B, S, ...) of a draw whose sequences were chosen here."""
        sequence, frame = drawn.sequence.long()[:, None], drawn.frame.long()
        return Sequence(*(part[sequence, frame] for part in self._places.parts()))

    def _take(self, shard: Sequence) -> None:
        if self._places is None:
            self._make_room(shard)
        for new, place in zip(shard.parts(), self._places.parts(), strict=True):
            if new.shape[1:] != place.shape[1:]:
                raise ValueError(
                    f'{self._reader.folder.folder} has sequences of {tuple(new.shape[1:])} and '
                    f'of {tuple(place.shape[1:])}; give each size and length its own folder'
                )
            count = min(len(new), self.capacity)
            # Around the end: the oldest are the first ones again.
            head = min(count, self.capacity - self._next)
            place[self._next : self._next + head].copy_(new[:head], non_blocking=True)
            place[: count - head].copy_(new[head:count], non_blocking=True)
        self._next = (self._next + count) % self.capacity
        self.held = min(self.capacity, self.held + count)

    def _make_room(self, shard: Sequence) -> None:
        self.frames = shard.images.shape[1]
        self._places = Sequence(
            *(
                torch.empty(self.capacity, *part.shape[1:], dtype=part.dtype, device=self.device)
                for part in shard.parts()
            )
        )


def capacity(device: torch.device, size: tuple[int, int], frames: int, most: int) -> int:
    """Return how many sequences of that size and length a device has room for, up to `most`."""
    if device.type != 'cuda':
        return most
    free, _ = torch.cuda.mem_get_info(device)
    room = int(SHARE * free) // (size[0] * size[1] * frames * BYTES_A_PIXEL)
    if not room:
        raise ValueError(f'{device} has {free >> 20} MiB free, too little for one sequence')
    return min(most, room)


class _Reader:
    """A thread that reads the shards of a folder as they appear, each once."""

    def __init__(self, folder: ShardFolder, pinned: bool) -> None:
        self.folder, self._pinned = folder, pinned
        self._ready: queue.Queue[Sequence] = queue.Queue(READ_AHEAD)
        self._stopped = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name='shards', daemon=True)
        self._thread.start()

    def next(self, timeout: float | None) -> Sequence | None:
        """Return a shard's sequences (N, F, ...); None where none is there within `timeout`."""
        if self._error is not None:
            raise self._error
        with contextlib.suppress(queue.Empty):
            return self._ready.get(block=timeout is not None, timeout=timeout)
        return None

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        known: set[Path] = set()
        try:
            while not self._stopped.is_set():
                fresh = [shard for shard in self.folder.shards() if shard not in known]
                for shard in fresh:
                    known.add(shard)
                    self._offer(shard)
                self._stopped.wait(LOOK_EVERY)
        except Exception as error:  # the one who asks next is told
            self._error = error

    def _offer(self, shard: Path) -> None:
        try:
            read = self._read(shard)
        except FileNotFoundError:
            # Whoever fills the folder also removes its oldest shards.
            return
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._ready.put(read, timeout=LOOK_EVERY)
                return

    def _read(self, shard: Path) -> Sequence:
        parts = self.folder.stacked(shard)
        if self._pinned:
            parts = Sequence(*(part.pin_memory() for part in parts.parts()))
        return parts
