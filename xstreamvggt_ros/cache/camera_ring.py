# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the camera head's trunk remembers under a strict budget: lists of fixed length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import functional

from xstreamvggt_ros.cache.attention import sdpa
from xstreamvggt_ros.cache.cache_config import CacheConfig
from xstreamvggt_ros.cache.layout import StreamLayout
from xstreamvggt_ros.cache.rows import check_finite, check_names, entry
from xstreamvggt_ros.ops.dispatch import fused

_EMPTY = -1


class CameraRing:
    """
    Lists of the first frame and the newest F - 1, never quantised, all written in step.

    A camera head runs several iterations a frame, one token each. Published behaviour ('shared')
    is one list per trunk block, which each iteration's token attends to and its frame's earlier
    ones; 'per_iteration' keeps a list for each iteration, as training does. A frame goes where the
    oldest but the first was, so that its place follows from how many came; a frame that fails
    half way enters no list.
    """

    # A step of them is the same whatever they hold: those of a captured frame are masked.
    full = True
    fixed = True

    def __init__(self, config: CacheConfig, layout: StreamLayout, device: torch.device) -> None:
        """Allocate the lists for streams of that layout."""
        shape = layout.camera_blocks
        self._blocks = shape.blocks
        self._shared = config.camera_cache == 'shared'
        self._frames = config.camera_budget_frames
        # Tokens of a frame in each list.
        self._per_frame = layout.camera_iterations if self._shared else 1
        count = self._blocks * (1 if self._shared else layout.camera_iterations)
        # Behind the frames' rows there are those of the frame at hand.
        rows = (self._frames + 1) * self._per_frame
        size = count, rows, shape.heads, shape.head_dim
        self._keys, self._values = (
            torch.zeros(size, dtype=layout.camera_dtype, device=device) for _ in range(2)
        )
        # How many frames came in: on the device, and what the host knows of it.
        self._entered = torch.zeros((), dtype=torch.int64, device=device)
        self._came = 0
        self._index = [_EMPTY] * self._frames
        self._enters = True
        # Where given, the frame's index on the device: one captured step then serves all frames.
        self.clock: Tensor | None = None

    @contextmanager
    def frame(self, index: int, keep: bool) -> Iterator[None]:
        """Attend to the frame of that index within; with keep=False the lists stay as they are."""
        self._enters = keep
        yield
        if keep:
            self._entered.add_(1)
            self.count(index)

    def count(self, index: int) -> None:
        """Take note that the frame of that index came in."""
        self._index[self._place(self._came)] = index
        self._came += 1

    def attend(self, frame: int, iteration: int, block: int, *token: Tensor) -> Tensor:
        """Attend an iteration's token, queries, keys and values (H, 1, D), to list and itself."""
        turn = iteration if self._shared else 0
        index = block if self._shared else iteration * self._blocks + block
        ring = self._keys[index], self._values[index]
        enters = self._enters and turn == self._per_frame - 1
        if fused(token[0]):
            from xstreamvggt_ros.ops.ring import attend_ring, fits

            if fits(*token):
                sizes = self._frames, self._per_frame, turn, enters
                return attend_ring(*token, ring, self._entered, *sizes)
        queries, keys, values = token
        waiting = self._frames * self._per_frame
        for rows, new in zip(ring, (keys, values), strict=True):
            rows[waiting + turn] = new[:, 0]
        attend = self._attend_held if self.clock is None else self._attend_masked
        attended = attend(queries, ring, waiting, waiting + turn + 1)
        if enters:
            self._enter(ring, waiting)
        return attended

    def _attend_held(
        self, queries: Tensor, ring: tuple[Tensor, Tensor], waiting: int, end: int
    ) -> Tensor:
        held = min(self._came, self._frames) * self._per_frame
        if held == waiting:
            keys, values = (rows[:end] for rows in ring)
        else:
            keys, values = (torch.cat([rows[:held], rows[waiting:end]]) for rows in ring)
        return sdpa(queries, keys, values)

    def _attend_masked(
        self, queries: Tensor, ring: tuple[Tensor, Tensor], waiting: int, end: int
    ) -> Tensor:
        row = torch.arange(end, device=queries.device)
        live = (row < self._entered * self._per_frame) | (row >= waiting)
        keys, values = (rows[:end].transpose(0, 1) for rows in ring)
        return functional.scaled_dot_product_attention(
            queries[None], keys[None], values[None], live[None]
        )[0]

    def _enter(self, ring: tuple[Tensor, Tensor], waiting: int) -> None:
        """Copy the frame at hand to its place, known to the host or to the device."""
        came, frames = self._came, self._frames
        if self.clock is None:
            first = self._place(came) * self._per_frame
            for rows in ring:
                rows[first : first + self._per_frame] = rows[waiting:]
            return
        came = self._entered
        place = torch.where(came < frames, came, 1 + (came - 1) % (frames - 1))
        turns = torch.arange(self._per_frame, device=place.device)
        for rows in ring:
            rows.index_copy_(0, place * self._per_frame + turns, rows[waiting:].clone())

    def _place(self, came: int) -> int:
        return came if came < self._frames else 1 + (came - 1) % (self._frames - 1)

    @property
    def held(self) -> int:
        """Tokens that each list holds."""
        return min(self._came, self._frames) * self._per_frame

    @property
    def arrived(self) -> int:
        """How many frames came in, at least."""
        return max(self._came, 1 + max(self._index))

    def counters(self) -> tuple[int, list[int]]:
        """Return what the host knows, for `restore`."""
        return self._came, list(self._index)

    def restore(self, counters: tuple[int, list[int]]) -> None:
        """Take back what the host knows."""
        self._came, self._index = counters[0], list(counters[1])

    def tensors(self) -> list[Tensor]:
        """Return what persists between frames."""
        waiting = self._frames * self._per_frame
        return [self._keys[:, :waiting], self._values[:, :waiting], self._entered]

    def scratch_tensors(self) -> list[Tensor]:
        """Return what is overwritten in every step."""
        waiting = self._frames * self._per_frame
        return [self._keys[:, waiting:], self._values[:, waiting:]]

    def clear(self) -> None:
        """Hold nothing, in the same memory."""
        self._came, self._index = 0, [_EMPTY] * self._frames
        self._entered.zero_()

    def state_dict(self) -> dict[str, Tensor]:
        """Return copies of what the next frame depends on, by name."""
        keys, values, _ = self.tensors()
        return {
            'keys': keys.clone(memory_format=torch.contiguous_format),
            'values': values.clone(memory_format=torch.contiguous_format),
            'frames': torch.tensor(self._index),
            'entered': torch.tensor(self._came),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over what state_dict returned; ValueError where it is of other lists."""
        self.fit(state)
        check_finite(state)
        for name, own in zip(('keys', 'values'), self.tensors(), strict=False):
            own.copy_(state[name])
        self._came, self._index = int(state['entered']), state['frames'].tolist()
        self._entered.fill_(self._came)

    def fit(self, state: Mapping[str, Tensor]) -> None:
        """Raise ValueError where names, shapes, types or counters are those of other lists."""
        check_names(state, ('keys', 'values', 'frames', 'entered'))
        index = entry(state, 'frames', (self._frames,)).tolist()
        came = int(entry(state, 'entered', ()))
        live = sum(each != _EMPTY for each in index)
        if min(index) < _EMPTY or came < 0 or live != min(came, self._frames):
            raise ValueError(f'{came} frames that came in contradict the {live} that are held')
        for name, own in zip(('keys', 'values'), self.tensors(), strict=False):
            entry(state, name, own.shape, own.dtype)
