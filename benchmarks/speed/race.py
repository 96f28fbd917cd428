# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the contenders in turn at one frame of a stream, and time their parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from builtin_interfaces.msg import Time
import numpy as np
import torch
from torch import Tensor

from benchmarks.speed.contenders import Contender, Memory
from benchmarks.speed.parts import count_operations, StopWatch, weight_bytes
from benchmarks.speed.peak_memory import transient_bytes
from benchmarks.speed.peaks import now, Peaks
from benchmarks.speed.rows import Row
from xstreamvggt_ros.images.preprocessing import Preprocessing
from xstreamvggt_ros.memory.device import free_bytes
from xstreamvggt_ros.messages import (
    confidence_image,
    depth_image,
    header_with,
    packed_cloud,
    point_cloud,
)
from xstreamvggt_ros.pipeline import CloudChoice, PipelineConfig
from xstreamvggt_ros.pipeline.reconstruction import assemble, Reconstruction
from xstreamvggt_ros.pipeline.transfer import Transfer
from xstreamvggt_ros.stream import frame_from
from xstreamvggt_ros.world.clouds import select_cloud

MEMORY_SHARE, LONGEST_S = 0.8, 600.0
# Of the cache while it grows, beside what it then holds.
_GROWTH = 1.25
# Counting and the look at memory, each a step.
_STEPS_BEFORE = 2
PERCENTILE, STRIDE = 20.0, 1


@dataclass
class Runner:
    """One contender in its state, ready for another step."""

    contender: Contender
    memory: Memory
    watch: StopWatch
    image: Tensor
    point_head: bool
    row: Row

    @torch.inference_mode()
    def step(self) -> None:
        """Run a frame from the image to messages."""
        predictions = self.memory.advance(self.contender.model, self.image, self.point_head)
        self.watch.timed('publishing', messages)(
            self.watch.timed('conversion', reconstruction)(predictions, self.image)
        )

    def timed_step(self) -> None:
        """Run a frame and note its seconds and those of its parts."""
        self.watch.take()
        began = now(self.watch.device)
        self.step()
        total = now(self.watch.device) - began
        rounds = len(self.row.seconds)
        parts = {
            name: (self.row.parts.get(name, 0.0) * rounds + seconds) / (rounds + 1)
            for name, seconds in self.watch.take().items()
        }
        self.row = replace(self.row, seconds=(*self.row.seconds, total), parts=parts)


def race(
    contenders: Sequence[Contender],
    frame: int,
    image: Tensor,
    rounds: int,
    peaks: Peaks,
    watches: dict[int, StopWatch],
    point_head: bool,
    before: Sequence[Row],
) -> list[Row]:
    """Measure all contenders at frame, round by round; `before` are rows of earlier frames."""
    runners, refused = [], []
    for contender in contenders:
        note = _obstacle(contender, frame, image, rounds, before)
        if note:
            refused.append(Row(frame, contender.name, contender.dtype, note))
        else:
            watch = watches[id(contender.model)]
            runners.append(_prepared(contender, frame, image, watch, point_head, peaks))
    for _ in range(rounds):
        for runner in runners:
            runner.timed_step()
    return sorted(
        [*(runner.row for runner in runners), *refused],
        key=lambda row: [each.name for each in contenders].index(row.contender),
    )


@torch.inference_mode()
def _prepared(
    contender: Contender,
    frame: int,
    image: Tensor,
    watch: StopWatch,
    point_head: bool,
    peaks: Peaks,
) -> Runner:
    memory = Memory(contender, frame, tuple(image.shape[-2:]), watch.timed)
    runner = Runner(contender, memory, watch, image, point_head, Row(frame, '', ''))
    # The first step allocates what stays, so that the next shows what does not.
    operations = count_operations(runner.step, contender.dtype)
    transient = transient_bytes(runner.step, image.device)
    held, scratch = memory.bytes()
    moved = weight_bytes(contender.model, point_head) + held
    runner.row = Row(
        frame=frame,
        contender=contender.name,
        dtype=contender.dtype,
        operations=operations,
        moved=moved,
        floor=peaks.floor(operations, moved),
        held=held,
        scratch=scratch,
        transient=transient,
    )
    return runner


def _obstacle(
    contender: Contender, frame: int, image: Tensor, rounds: int, before: Sequence[Row]
) -> str:
    """Say why a row cannot be measured, or nothing."""
    needed = _GROWTH * contender.bytes_at(frame + rounds, *image.shape[-2:])
    free = free_bytes(image.device)
    if needed > MEMORY_SHARE * free:
        return (
            f'not run: it would take {needed / 2**30:.1f} GiB of the {free / 2**30:.1f} GiB free'
        )
    known = [row for row in before if row.contender == contender.name and row.seconds]
    if known:
        last = known[-1]
        grows = contender.config is not None and not contender.config.bounded
        growing = last.parts.get('cache', 0.0) * (frame / last.frame - 1) if grows else 0.0
        expected = float(np.median(last.seconds)) + growing
        if expected * (rounds + _STEPS_BEFORE) > LONGEST_S:
            return f'not run: it would take {expected * (rounds + _STEPS_BEFORE) / 60:.0f} minutes'
    return ''


def reconstruction(predictions: object, image: Tensor) -> Reconstruction:
    """Bring a frame to the map, as the pipeline does."""
    height, width = image.shape[-2:]
    cloud = CloudChoice(PERCENTILE, STRIDE) if image.is_cuda else None
    config = PipelineConfig(image_size=max(height, width), cloud=cloud)
    frame = frame_from(predictions, height, width)
    picture, transfer = Preprocessing.picture(image), Transfer(image.device)
    return assemble(frame, picture, config, None, transfer, report=None, index=0).result()


def messages(frame: Reconstruction) -> list[object]:
    """Build the large messages of a frame, as the node does; they are not sent."""
    header = header_with(Time(), 'map')
    cloud = select_cloud(frame, PERCENTILE, STRIDE)
    packed = cloud.packed
    return [
        point_cloud(cloud.points, cloud.colours, cloud.confidence, header)
        if packed is None
        else packed_cloud(packed.rows, packed.shape, packed.dense, header),
        depth_image(frame.depth, header),
        confidence_image(frame.confidence, header),
    ]
