# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Streams that the guard begins anew at cuts, with all that the network said in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from xstreamvggt_ros.cache import CacheStats
from xstreamvggt_ros.guard import GuardedReconstructor, Watch
from xstreamvggt_ros.stream import Frame, FrameReconstructor


@dataclass(eq=False)
class Segment:
    """
    One stream: its frames by their images' numbers, in its own world and unit, in order.

    overlap: images that it began with and that the stream before had seen. shown: images that were
    first given out as this stream saw them.
    """

    frames: dict[int, Frame] = field(default_factory=dict)
    overlap: list[int] = field(default_factory=list)
    shown: list[int] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class CutStream:
    """
    What became of a sequence with cuts.

    segments: those of the one world. given: what the guard gave out, by image. lost: whether a
    stream could not be chained, and a second world began.
    """

    segments: list[Segment]
    given: dict[int, Frame]
    lost: bool


class Recorder:
    """Stand between a guard and its network, and keep what the network says of known images."""

    def __init__(self, network: FrameReconstructor, images: Sequence[Tensor]) -> None:
        """Take the images that will be given, the very objects."""
        self._network = network
        self._numbers = {id(image): number for number, image in enumerate(images)}
        self.segments = [Segment()]
        self._replaying = False

    @property
    def point_head(self) -> bool:
        """As the network's."""
        return self._network.point_head

    @point_head.setter
    def point_head(self, wanted: bool) -> None:
        self._network.point_head = wanted

    def step(self, image: Tensor, keep: bool = True) -> Frame:
        """Step the network; what is remembered right after a reset is what the guard replays."""
        frame, number = self._network.step(image, keep), self._numbers[id(image)]
        segment = self.segments[-1]
        known = len(self.segments) > 1 and number in self.segments[-2].frames
        self._replaying = self._replaying and known and keep
        if self._replaying:
            segment.overlap.append(number)
        segment.frames[number] = frame
        return frame

    def reset(self) -> None:
        """Begin a new stream."""
        self._network.reset()
        self.segments.append(Segment())
        self._replaying = True

    def cache_stats(self) -> CacheStats:
        """As the network's."""
        return self._network.cache_stats()

    def state_dict(self) -> dict[str, Tensor]:
        """As the network's."""
        return self._network.state_dict()

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """As the network's."""
        self._network.load_state_dict(state)


def cover(images: Tensor, cuts: int, length: int) -> tuple[list[Tensor], list[int]]:
    """
    Blacken `length` of images (F, 3, H, W) at each of so many places, evenly spread.

    Returns the images, each in memory of its own, and the numbers of those that still show
    something.
    """
    starts = [round(len(images) * (cut + 1) / (cuts + 1)) - length // 2 for cut in range(cuts)]
    dark = {start + offset for start in starts for offset in range(length)}
    covered = [
        torch.zeros_like(image) if number in dark else image.clone()
        for number, image in enumerate(images)
    ]
    return covered, [number for number in range(len(images)) if number not in dark]


def run_stream(
    network: FrameReconstructor, images: Sequence[Tensor], kept: Sequence[int]
) -> CutStream:
    """
    Give the images to the guard that ships, with `reanchor`.

    Segments have frames of those of the images alone that are `kept`: the others show nothing.
    """
    recorder = Recorder(network, images)
    guard = GuardedReconstructor(recorder, Watch(), 'reanchor')
    given = {}
    lost = False
    for number, image in enumerate(images):
        given[number] = guard.step(image)
        lost = lost or guard.report.action == 'lost'
        if number in kept:
            recorder.segments[-1].shown.append(number)
        else:
            del recorder.segments[-1].frames[number]
    return CutStream(recorder.segments, given, lost)
