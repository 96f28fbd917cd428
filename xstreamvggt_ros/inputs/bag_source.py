# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The images of a rosbag2, with their calibration and, where recorded, depth and pose."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from xstreamvggt_ros.files.bags import open_bag, stamp_of
from xstreamvggt_ros.images.camera_model import has_projection, is_rectified
from xstreamvggt_ros.inputs.bag_messages import (
    calibration_of,
    DEPTH_ENCODINGS,
    deserialise,
    matrix_of_pose,
    metres,
    raw_image,
    show,
)
from xstreamvggt_ros.inputs.frames import (
    Calibration,
    EncodedImage,
    Frame,
    FrameSource,
    InputError,
    Sample,
)

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
POSE = 'geometry_msgs/msg/PoseStamped'
COMPRESSED_SUFFIX = '/compressed'
TRUE_POSE_TOPIC = '/ground_truth/pose'


class BagSource(FrameSource):
    """
    Read the images on one topic of a rosbag2.

    The calibration is the sibling camera_info: the first message until another has come. Truth
    for samples are a depth topic and PoseStamped on /ground_truth/pose, by equal stamps.
    """

    def __init__(self, path: Path, topic: str = ''):
        """Choose the image topic; without `topic` there must be one camera in the bag."""
        self._path = path
        with open_bag(path) as reader:
            kinds = image_topics(reader)
            self._recorded = choose_topic(path, topic, kinds, reader)
            message_type, _ = kinds[self._recorded]
            self.length = reader.topics[self._recorded].msgcount
            self._depth_topic = next(
                (name for name, (_, is_depth) in kinds.items() if is_depth and name != topic), ''
            )
            self._pose_topic = TRUE_POSE_TOPIC if TRUE_POSE_TOPIC in reader.topics else ''
        self.title = path.name
        self.transport = 'compressed' if message_type == COMPRESSED else 'raw'
        self.topic = self._recorded.removesuffix(COMPRESSED_SUFFIX)

    def frames(self) -> Iterator[Frame]:
        """Read every image; its data is handed on as recorded, not decoded."""
        info_topic = sibling(self.topic, 'camera_info')
        with open_bag(self._path) as reader:
            calibration = _first_calibration(reader, info_topic)
            for connection, log_ns, cdr in messages_of(reader, self._recorded, info_topic):
                message = deserialise(reader, connection, cdr, log_ns)
                if message is None:
                    continue
                if connection.msgtype == CAMERA_INFO:
                    calibration = calibration_of(message)
                    continue
                image = (
                    EncodedImage(message.format, message.data.tobytes())
                    if self.transport == 'compressed'
                    else raw_image(message)
                )
                # A header without a stamp is dated by its recording.
                stamp_ns = stamp_of(cdr) or log_ns
                yield Frame(stamp_ns, message.header.frame_id, image, calibration)

    def samples(self, stamps_ns: Collection[int]) -> Iterator[Sample]:
        """Read the whole bag once for the images, depth maps and poses of these stamps."""
        wanted = set(stamps_ns)
        found: dict[int, Sample] = {}
        topics = [self._recorded, self._depth_topic, self._pose_topic]
        with open_bag(self._path) as reader:
            # Depth without a calibration of its own is registered to the images.
            calibration = _first_calibration(
                reader, sibling(self._depth_topic, 'camera_info')
            ) or _first_calibration(reader, sibling(self.topic, 'camera_info'))
            for connection, log_ns, cdr in messages_of(reader, *topics):
                stamp = stamp_of(cdr) or log_ns
                if stamp not in wanted:
                    continue
                message = deserialise(reader, connection, cdr, log_ns)
                if message is not None:
                    sample = found.get(stamp, Sample(stamp, None))
                    found[stamp] = self._add(sample, connection.topic, message)
        for stamp in sorted(found):
            yield self._with_intrinsics(found[stamp], calibration)

    def true_poses(self, stamps_ns: Collection[int]) -> dict[int, np.ndarray]:
        """Read PoseStamped on /ground_truth/pose."""
        wanted = set(stamps_ns)
        poses = {}
        with open_bag(self._path) as reader:
            for connection, log_ns, cdr in messages_of(reader, self._pose_topic):
                stamp = stamp_of(cdr) or log_ns
                message = deserialise(reader, connection, cdr, log_ns)
                if stamp in wanted and message is not None:
                    poses[stamp] = matrix_of_pose(message.pose)
        return dict(sorted(poses.items()))

    def _add(self, sample: Sample, topic: str, message) -> Sample:
        if topic == self._recorded:
            return replace(sample, image=show(message))
        if topic == self._depth_topic:
            return replace(sample, depth=metres(message))
        return replace(sample, world_from_camera=matrix_of_pose(message.pose))

    def _with_intrinsics(self, sample: Sample, calibration: Calibration | None) -> Sample:
        if calibration is None or sample.depth is None:
            return sample
        intrinsics = np.reshape(calibration.k, (3, 3))
        if is_rectified(self.topic) and has_projection(calibration):
            intrinsics = np.reshape(calibration.p, (3, 4))[:, :3]
        return replace(sample, intrinsics=intrinsics)


def sibling(topic: str, name: str) -> str:
    return f'{topic.rpartition("/")[0]}/{name}'


def messages_of(reader, *topics: str):
    """Read the messages of these topics, those that the bag has, in the order of recording."""
    connections = [each for each in reader.connections if each.topic in topics]
    # Without a connection the library would give the messages of every topic.
    if not connections:
        return
    try:
        yield from reader.messages(connections)
    except Exception as error:  # a damaged file raises nearly anything out of its parser
        path = reader.paths[0]
        raise InputError(f'{path} cannot be read beyond here, it is damaged: {error}') from error


def _first_calibration(reader, topic: str) -> Calibration | None:
    for connection, log_ns, cdr in messages_of(reader, topic):
        message = deserialise(reader, connection, cdr, log_ns)
        return calibration_of(message) if message is not None else None
    return None


def image_topics(reader) -> dict[str, tuple[str, bool]]:
    """Give every topic with images: its type and whether it holds depth maps."""
    topics = {}
    for name, info in sorted(reader.topics.items()):
        if info.msgtype in (IMAGE, COMPRESSED) and info.msgcount:
            connection, _, cdr = next(reader.messages(info.connections))
            message = reader.deserialize(cdr, connection.msgtype)
            coding = message.encoding if info.msgtype == IMAGE else message.format
            topics[name] = info.msgtype, coding in DEPTH_ENCODINGS or 'compressedDepth' in coding
    return topics


def choose_topic(
    path: Path, topic: str, kinds: dict[str, tuple[str, bool]], reader, option: str = '--topic'
) -> str:
    """Choose the recorded topic to play, or say which there are and the option that chooses."""
    if topic:
        for name in (topic, topic + COMPRESSED_SUFFIX):
            if name in kinds:
                return name
        known = ', '.join(kinds) or 'none with images'
        raise InputError(f'{path} has no images on {topic!r}; its image topics: {known}')
    cameras = [name for name, (_, is_depth) in kinds.items() if not is_depth]
    # The same camera recorded raw and compressed is one camera; raw is exact.
    cameras = [
        name
        for name in cameras
        if not name.endswith(COMPRESSED_SUFFIX)
        or name.removesuffix(COMPRESSED_SUFFIX) not in cameras
    ]
    if len(cameras) == 1:
        return cameras[0]
    if cameras:
        raise InputError(
            f'{path} has several image topics; choose one with {option}: {", ".join(cameras)}'
        )
    listed = ', '.join(f'{name} [{info.msgtype}]' for name, info in sorted(reader.topics.items()))
    raise InputError(
        f'{path} has no sensor_msgs Image or CompressedImage with colour; its topics: '
        f'{listed or "none"}. Record the camera too, or choose a depth topic with {option}'
    )
