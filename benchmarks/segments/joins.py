# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ways to bring a stream that was begun anew into the world of the one before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from benchmarks.segments.cut_streams import Segment
from benchmarks.segments.layers import depth_curve, layer_scales, seen
from benchmarks.segments.overlaps import fit_overlap, Overlap, STRIDE
from xstreamvggt_ros.geometry.similarity import Similarity
from xstreamvggt_ros.guard.alignment import align, IntoWorld
from xstreamvggt_ros.stream import Frame

Frames = Mapping[int, Frame]
# From a segment moved into the world, and frames of the same images there before.
Correct = Callable[[dict[int, Frame], Sequence[int], Frames], dict[int, Frame]]


def join(segments: Sequence[Segment], fit: Callable, correct: Correct | None) -> dict[int, Frame]:
    """
    Bring all segments into the first one's world; frames by image, as first given out.

    Each is moved by what `fit` finds between its overlap and the same images' frames in the world,
    those of the segment before, and then corrected.
    """
    before: Frames = segments[0].frames
    given = {number: before[number] for number in segments[0].shown}
    for segment in segments[1:]:
        new, old = (
            [each[number] for number in segment.overlap] for each in (segment.frames, before)
        )
        into_world = IntoWorld(fit(new, old))
        moved = {n: into_world(frame) for n, frame in segment.frames.items()}
        before = moved if correct is None else correct(moved, segment.overlap, before)
        given |= {number: before[number] for number in segment.shown}
    return given


def shipped(new: Sequence[Frame], old: Sequence[Frame]) -> Similarity:
    """Fit as the guard does; where too few frames agree, to all pixels."""
    alignment = align(new, old)
    return refitted(new, old) if alignment is None else alignment.similarity


def refitted(new: Sequence[Frame], old: Sequence[Frame]) -> Similarity:
    """Fit to all pixels of the overlap."""
    return fit_overlap(Overlap.of(new, old))


def by_band(frames: dict[int, Frame], overlap: Sequence[int], before: Frames) -> dict[int, Frame]:
    """Scale every pixel by the factor of its depth."""
    curve = depth_curve(*([each[number] for number in overlap] for each in (frames, before)))
    corrected = {}
    for number, frame in frames.items():
        log = np.log(np.maximum(frame.depth.double().numpy(), 1e-6))
        corrected[number] = scaled(frame, np.interp(log, *curve))
    return corrected


def by_surface(
    frames: dict[int, Frame], overlap: Sequence[int], before: Frames
) -> dict[int, Frame]:
    """Scale every layer of every image by a factor of its own."""
    images = [
        seen(frame, before[number] if number in overlap else None)
        for number, frame in frames.items()
    ]
    corrected = {}
    for (number, frame), image, scales in zip(
        frames.items(), images, layer_scales(images), strict=True
    ):
        factors = scales[image.layers].repeat(STRIDE, axis=0).repeat(STRIDE, axis=1)
        corrected[number] = scaled(frame, factors[: frame.depth.shape[0], : frame.depth.shape[1]])
    return corrected


def scaled(frame: Frame, factors: np.ndarray) -> Frame:
    """Move every point along its ray, so that its depth has the factor (H, W)."""
    factor = torch.as_tensor(factors, dtype=frame.depth.dtype)
    centre = frame.camera_centre
    return replace(
        frame,
        depth=factor * frame.depth,
        points=centre + factor[..., None] * (frame.points - centre),
    )
