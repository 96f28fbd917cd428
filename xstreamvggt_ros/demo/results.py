# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a recorded run holds: checked against its input, and taken out of the bag."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.ply import PlyCloud
from xstreamvggt_ros.files.trajectories import Trajectory
from xstreamvggt_ros.messages import read_points
from xstreamvggt_ros.rig.recorder import FRAME_OUTPUTS
from xstreamvggt_ros.rig.recording import map_of, recorded_messages

# Points kept of a whole run, shared evenly among its frames.
MAX_POINTS = 1_500_000


@dataclass
class Check:
    """
    Hold how outputs compare with the images that were sent; each counts messages, by topic.

    `missing` have no output, `unexpected` no image of exactly that stamp (or a second output),
    and `not_finite` hold a number that is not finite. `holes` are NaN in maps, as undistortion
    leaves them, out of `pixels`.
    """

    missing: Counter = field(default_factory=Counter)
    unexpected: Counter = field(default_factory=Counter)
    not_finite: Counter = field(default_factory=Counter)
    outputs: int = 0
    holes: int = 0
    pixels: int = 0

    def problems(self, lossless: bool, distorted: bool = False) -> list[str]:
        """
        Give a sentence for each thing that is wrong.

        Images may be lost unless `lossless`, and maps may have holes if `distorted`.
        """
        kinds = [
            (self.unexpected, 'outputs whose stamp no image has, or a second time'),
            (self.not_finite, 'outputs with numbers that are not finite'),
        ]
        if lossless:
            kinds.append((self.missing, 'images without this output'))
        holes = []
        if self.holes and not distorted:
            holes = [f'{self.holes} of {self.pixels} pixels are NaN']
        return holes + [
            f'{count} {meaning} on ~/{name}'
            for counter, meaning in kinds
            for name, count in sorted(counter.items())
        ]


@dataclass(frozen=True)
class Maps:
    """Hold depth and confidence (H, W) float32 of one frame."""

    depth: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True)
class Results:
    """
    Hold what a run gave: poses of the optical frame in the map, points, maps by stamp.

    Of several `streams`, each with a map of its own, these are the longest's.
    """

    check: Check
    trajectory: Trajectory
    cloud: PlyCloud
    maps: dict[int, Maps]
    streams: int = 1


def read_results(
    bag_path: Path,
    node_name: str,
    sent_ns: Collection[int],
    shown_ns: Collection[int],
    streams: Sequence[Collection[int]] = (),
    max_points: int = MAX_POINTS,
) -> Results:
    """
    Read a recorded run once, from start to end.

    `sent_ns` are the stamps of the images that were sent, `shown_ns` those of which depth and
    confidence are kept. Of several `streams`, as `recorded_streams` gives them, poses and points
    of the first are kept. Keeps at most `max_points` points.
    """
    several = len(streams) > 1
    reader = _RunReader(sent_ns, streams[0] if several else sent_ns, shown_ns, max_points)
    for name, stamp_ns, message in recorded_messages(bag_path, node_name, FRAME_OUTPUTS):
        reader.take(name, stamp_ns, message)
    results = reader.results()
    return replace(results, streams=len(streams)) if several else results


def spread(stamps: Collection[int], count: int) -> list[int]:
    """Choose up to `count` stamps spread evenly from first to last."""
    ordered = sorted(stamps)
    if len(ordered) <= count:
        return ordered
    picks = np.linspace(0, len(ordered) - 1, count).round().astype(int)
    return [ordered[pick] for pick in picks]


class _RunReader:
    """Take one message after another; bounded by points and maps kept, not by frames."""

    def __init__(
        self,
        sent_ns: Collection[int],
        kept_ns: Collection[int],
        shown_ns: Collection[int],
        max_points: int,
    ):
        self._check = Check()
        self._sent, self._kept = set(sent_ns), set(kept_ns)
        self._seen: dict[str, set[int]] = {name: set() for name in FRAME_OUTPUTS}
        self._shown = set(shown_ns) & self._kept
        self._images: dict[tuple[str, int], np.ndarray] = {}
        self._poses: dict[int, tuple[float, ...]] = {}
        self._clouds: list[PlyCloud] = []
        self._points_per_frame = max(1, max_points // max(1, len(self._sent)))
        self._random = np.random.default_rng(0)

    def take(self, name: str, stamp_ns: int, message) -> None:
        """Check one output and keep what is needed of it."""
        self._check.outputs += 1
        if stamp_ns not in self._sent or stamp_ns in self._seen[name]:
            self._check.unexpected[name] += 1
            return
        self._seen[name].add(stamp_ns)
        if not getattr(self, '_take_' + name.replace('/', '_'))(stamp_ns, message):
            self._check.not_finite[name] += 1

    def results(self) -> Results:
        """Give everything that was kept."""
        for name, seen in self._seen.items():
            if missing := len(self._sent - seen):
                self._check.missing[name] = missing
        stamps = sorted(self._poses)
        poses = np.array([self._poses[stamp] for stamp in stamps]).reshape(-1, 7)
        maps = {
            stamp: Maps(depth, self._images['confidence', stamp])
            for (name, stamp), depth in sorted(self._images.items())
            if name == 'depth' and ('confidence', stamp) in self._images
        }
        return Results(
            self._check,
            Trajectory(np.array(stamps, dtype=np.int64), poses[:, :3], poses[:, 3:]),
            _join(self._clouds),
            maps,
        )

    def _take_pose(self, stamp_ns: int, message) -> bool:
        position, turn = message.pose.position, message.pose.orientation
        pose = (position.x, position.y, position.z, turn.x, turn.y, turn.z, turn.w)
        if stamp_ns in self._kept:
            self._poses[stamp_ns] = pose
        return bool(np.isfinite(pose).all())

    def _take_depth_image(self, stamp_ns: int, message) -> bool:
        return self._take_map('depth', stamp_ns, message)

    def _take_confidence(self, stamp_ns: int, message) -> bool:
        return self._take_map('confidence', stamp_ns, message)

    def _take_map(self, name: str, stamp_ns: int, message) -> bool:
        values = map_of(message)
        if stamp_ns in self._shown:
            self._images[name, stamp_ns] = values.copy()
        self._check.holes += int(np.isnan(values).sum())
        self._check.pixels += values.size
        return not np.isinf(values).any()

    def _take_depth_camera_info(self, stamp_ns: int, message) -> bool:
        return bool(np.isfinite(message.k).all())

    def _take_frame(self, stamp_ns: int, message) -> bool:
        return True

    def _take_points(self, stamp_ns: int, message) -> bool:
        cloud = read_points(message)
        finite = np.isfinite(cloud.points).all(axis=1)
        keep = np.flatnonzero(finite)
        if len(keep) > self._points_per_frame:
            keep = self._random.choice(keep, self._points_per_frame, replace=False)
        if stamp_ns in self._kept:
            self._clouds.append(PlyCloud(cloud.points[keep], cloud.rgb[keep]))
        # An organised cloud has NaN where there is no point; infinite is wrong in any.
        if message.height > 1:
            return not np.isinf(cloud.points).any()
        return bool(finite.all())


def _join(clouds: list[PlyCloud]) -> PlyCloud:
    if not clouds:
        return PlyCloud(np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8))
    return PlyCloud(
        np.concatenate([cloud.points for cloud in clouds]),
        np.concatenate([cloud.colours for cloud in clouds]),
    )
