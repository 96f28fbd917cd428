# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is known of a stream while it goes on."""

from __future__ import annotations

from dataclasses import dataclass

from xstreamvggt_ros.cache import CacheStats
from xstreamvggt_ros.guard import GuardReport
from xstreamvggt_ros.intake.counters import Counts
from xstreamvggt_ros.intake.recent import Recent
from xstreamvggt_ros.pipeline import Reconstruction
from xstreamvggt_ros.scale import ScaleState


@dataclass(frozen=True)
class FrameFigures:
    """
    What is reported of the newest frame.

    image_shape: (height, width) of the image as the network saw it, (0, 0) before the first.
    focal_predicted, focal_calibrated: in pixels of that image along x, the latter None where
    predicted intrinsics are used.
    """

    image_shape: tuple[int, int] = (0, 0)
    focal_predicted: float | None = None
    focal_calibrated: float | None = None


def frame_figures(reconstruction: Reconstruction) -> FrameFigures:
    """Take from a frame what is reported of it."""
    calibrated = float(reconstruction.intrinsics[0, 0]) if reconstruction.calibrated else None
    return FrameFigures(
        reconstruction.depth.shape,
        float(reconstruction.predicted_intrinsics[0, 0]),
        calibrated,
    )


@dataclass(frozen=True)
class StreamState:
    """
    Which stream it is: how many have begun, why the newest did, and how long ago in seconds.

    number: that of ~/stream, which streams chained to one another share.
    """

    count: int = 0
    number: int = 0
    why: str = ''
    age: float | None = None


@dataclass(frozen=True)
class Observed:
    """
    What is known of a stream while it goes on.

    `newest` is of the newest frame. `last_error` says why the newest image that gave nothing did,
    empty where that is long ago. `report` is what the watch says of the stream, None without a
    watch. `scale` is what is known of the scale. `transforms` says which of the robot's are
    missing, '' if none, None where none is wanted. `silent_for` is the seconds since the newest
    image. `problems` are further things that are not as they should be. `active` is whether images
    are listened to at all.
    """

    counts: Counts
    stats: CacheStats
    newest: FrameFigures = FrameFigures()
    recent: Recent = Recent()
    last_error: str = ''
    report: GuardReport | None = None
    scale: ScaleState | None = None
    stream: StreamState = StreamState()
    transforms: str | None = None
    silent_for: float | None = None
    problems: tuple[str, ...] = ()
    active: bool = True
