# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a bag, or a file beside it, says that the camera truly was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.files.stamped_poses import StampedPoses
from xstreamvggt_ros.files.trajectories import read_tum
from xstreamvggt_ros.inputs.bag_transforms import (
    BagTransforms,
    matrix_of,
    name_of,
)
from xstreamvggt_ros.inputs.problems import Problems

POSE = 'geometry_msgs/msg/PoseStamped'
POSE_WITH_COVARIANCE = 'geometry_msgs/msg/PoseWithCovarianceStamped'
ODOMETRY = 'nav_msgs/msg/Odometry'
TRANSFORM = 'geometry_msgs/msg/TransformStamped'
POSE_TYPES = (POSE, POSE_WITH_COVARIANCE, ODOMETRY, TRANSFORM)
TF, TF_STATIC = '/tf', '/tf_static'
TRUE_POSE_TOPIC = '/ground_truth/pose'


@dataclass(frozen=True)
class TruthOptions:
    """
    What is taken for the truth.

    source: a topic with PoseStamped, PoseWithCovarianceStamped, Odometry or TransformStamped,
    '/tf', or a TUM file; '' takes /ground_truth/pose where the bag has it. world_frame: with /tf,
    '' is the root of the camera's frame. body_frame: whose pose the topic or file tells; '' is the
    child frame of the messages, and the camera's optical frame where they have none. It need not
    be the camera's if the bag's transforms connect the two.
    """

    source: str = ''
    world_frame: str = ''
    body_frame: str = ''


class PoseTrack:
    """World from optical frame by stamp, as the options say."""

    def __init__(
        self, options: TruthOptions, transforms: BagTransforms, tolerance_ns: int, problems
    ) -> None:
        """Begin with the poses of the file, if one is named."""
        self._options = options
        self._transforms = transforms
        self._tolerance_ns = tolerance_ns
        self._problems: Problems = problems
        self._stamps: list[int] = []
        self._poses: list[np.ndarray] = []
        self._body = name_of(options.body_frame)
        self._track: StampedPoses | None = None
        if is_file_source(options.source):
            self._track = _of_file(Path(options.source), problems)

    def take(self, kind: str, stamp_ns: int, message) -> None:
        """Take up a message of the topic with the truth."""
        if kind not in POSE_TYPES:
            self._problems.add(
                f'{kind} holds no pose; the truth is one of: {", ".join(POSE_TYPES)}'
            )
            return
        pose = message.transform if kind == TRANSFORM else message.pose
        if kind in (ODOMETRY, POSE_WITH_COVARIANCE):
            pose = pose.pose
        matrix = (
            matrix_of(pose.translation, pose.rotation)
            if kind == TRANSFORM
            else matrix_of(pose.position, pose.orientation)
        )
        if matrix is None:
            text = f'a pose of the truth, at {stamp_ns} ns, is no rigid motion'
            self._problems.add(text, 'poses of the truth that are left out')
            return
        self._body = self._body or name_of(getattr(message, 'child_frame_id', ''))
        self._stamps.append(stamp_ns)
        self._poses.append(matrix)

    def finish(self, camera_frame: str) -> None:
        """Take notice that there is no more, and of the frame that the images are in."""
        self._camera = name_of(camera_frame)
        if self._options.source == TF:
            self._world = name_of(self._options.world_frame) or self._transforms.root_of(
                self._camera
            )
            self._require(self._world, 'world_frame')
            return
        if self._track is None:
            self._track = StampedPoses.sorted(self._stamps, self._poses)
        if self._options.source and len(self._track.stamps_ns) and not self._body:
            self._problems.add(
                f'{self._options.source} does not say whose its poses are; they are taken for '
                f'those of the optical frame {self._camera!r}: name another by body_frame'
            )
        if self._body and self._body != self._camera:
            self._require(self._body, 'body_frame')

    def at(self, stamp_ns: int) -> np.ndarray | None:
        """Give the pose (4, 4) at a stamp; None where none is near enough."""
        if self._options.source == TF:
            if self._world == self._camera:
                return None
            return self._look(self._world, stamp_ns)
        world_from_body = self._track.nearest(stamp_ns, self._tolerance_ns)
        if world_from_body is None or self._body in ('', self._camera):
            return world_from_body
        body_from_camera = self._look(self._body, stamp_ns)
        return None if body_from_camera is None else world_from_body @ body_from_camera

    def _look(self, frame: str, stamp_ns: int) -> np.ndarray | None:
        return self._transforms.lookup(frame, self._camera, stamp_ns, self._tolerance_ns)

    def _require(self, frame: str, option: str) -> None:
        if frame == self._camera or not self._transforms.connected(frame, self._camera):
            self._problems.add(
                f'no poses: the bag has no transforms between {frame!r} and the images in '
                f'{self._camera!r}; name another {option} ({self._camera!r} itself, where the '
                'poses are those of its optical axes)'
            )


def source_topic(options: TruthOptions, reader) -> str:
    """Give the topic with the truth, '' where it is a file or there is none; InputError if bad."""
    source = options.source
    if is_file_source(source):
        return ''
    if not source:
        return TRUE_POSE_TOPIC if TRUE_POSE_TOPIC in reader.topics else ''
    kind = reader.topics[source].msgtype if source in reader.topics else None
    if source != TF and kind not in POSE_TYPES or kind is None:
        known = [name for name, info in reader.topics.items() if info.msgtype in POSE_TYPES]
        known += [TF] * (TF in reader.topics)
        raise InputError(
            f'truth {source!r} is no file and no topic with poses; '
            f'the bag has: {", ".join(sorted(known)) or "none"}'
        )
    return source


def is_file_source(source: str) -> bool:
    """Tell a TUM file from a topic."""
    return bool(source) and Path(source).is_file()


def _of_file(file: Path, problems: Problems) -> StampedPoses:
    try:
        return StampedPoses.of_trajectory(read_tum(file, problems.add))
    except (OSError, ValueError) as error:
        raise InputError(f'truth: {error}') from error
