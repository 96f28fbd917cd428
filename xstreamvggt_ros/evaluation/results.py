# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a replay gives for every frame of a sequence, whichever way it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial.transform import Rotation

from xstreamvggt_ros.geometry import rigid

if TYPE_CHECKING:
    from xstreamvggt_ros.evaluation.truth import AlignedTruth
    from xstreamvggt_ros.inputs import SequenceFrame

# 'failed': the pipeline refused the frame or gave nothing. 'dropped': it never came to its turn.
STATUSES = ('done', 'failed', 'dropped')


@dataclass(frozen=True, eq=False)
class Estimate:
    """
    What the pipeline said of a frame, at the network's size (H, W).

    depth, confidence: (H, W) float32, depth in metres along z, NaN where there is none.
    intrinsics: (3, 3) float64. world_from_camera: (4, 4) float64, in the optical axes of the
    first camera. picture: (H, W, 3) uint8, what the network saw. points: (H, W, 3) float32 in the
    world where they are not depth lifted, else None. world: number of the stream; poses of
    different ones have nothing to do with each other. verdict: what the watch had to say against
    the frame, '' for nothing.
    """

    depth: np.ndarray
    confidence: np.ndarray
    intrinsics: np.ndarray
    world_from_camera: np.ndarray
    picture: np.ndarray
    points: np.ndarray | None = None
    world: int = 0
    verdict: str = ''


@dataclass(frozen=True)
class Cost:
    """
    What a frame cost.

    latency_s: seconds, of the pipeline in exact replay, from sending the image to receiving the
    last of its outputs in live replay. cpu_s: seconds of processors that the process had in it;
    of a network on a processor alone. cache_tokens: held, cache_evicted: given up so far, each
    summed over layers. cache_bytes: of all that the cache keeps between frames. resident_bytes:
    the most at once in the process that runs the network, while it worked on the frame.
    device_bytes: most that were allocated on the run's CUDA device since it began. NaN where not
    known.
    """

    latency_s: float = float('nan')
    cpu_s: float = float('nan')
    cache_tokens: float = float('nan')
    cache_evicted: float = float('nan')
    cache_bytes: float = float('nan')
    resident_bytes: float = float('nan')
    device_bytes: float = float('nan')


@dataclass(frozen=True, eq=False)
class FrameResult:
    """One frame of a run; `estimate` is None unless its status is 'done', `reason` says why."""

    index: int
    frame: SequenceFrame
    truth: AlignedTruth
    status: str
    estimate: Estimate | None = None
    cost: Cost = Cost()
    reason: str = ''


def pose(place: np.ndarray, quaternion: np.ndarray) -> np.ndarray:
    """
    Build a rigid (4, 4) transform of a place (3,) and a quaternion (4,), x y z w.

    Poses of both replays come this way: a message holds a quaternion, and what a network gives in
    single precision is a rotation only nearly.
    """
    return rigid(Rotation.from_quat(quaternion).as_matrix(), place)
