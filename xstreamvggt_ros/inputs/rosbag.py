# Copyright 2026 The xstreamvggt_ros authors
# SPDX-License-Identifier: Apache-2.0
"""
A rosbag2, MCAP or sqlite3, compressed or not, read without ROS.

Images are raw or compressed, dated by their headers. Depth maps (32FC1 metres, 16UC1
millimetres, or compressedDepth), poses and transforms are those nearest in time, within a
tolerance (0.02 s), never interpolated. An image's calibration is the camera_info beside it that
came last before it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from xstreamvggt_ros.files.bags import find_bag, frame_id_of
from xstreamvggt_ros.files.errors import InputError
from xstreamvggt_ros.files.stamped_poses import nearest_stamps
from xstreamvggt_ros.geometry.stamps import NANOSECONDS
from xstreamvggt_ros.images.camera_model import CameraModel, is_rectified
from xstreamvggt_ros.inputs.bag_index import BagFile, Place
from xstreamvggt_ros.inputs.bag_messages import decode, metres, payload_of
from xstreamvggt_ros.inputs.bag_topics import (
    CAMERA_INFO,
    choose_depth_topic,
    choose_topic,
    COMPRESSED,
    COMPRESSED_SUFFIX,
    IMAGE,
    image_topics,
    sibling,
    untransported,
)
from xstreamvggt_ros.inputs.bag_transforms import BagTransforms
from xstreamvggt_ros.inputs.bag_truth import (
    is_file_source,
    PoseTrack,
    source_topic,
    TF,
    TF_STATIC,
    TruthOptions,
)
from xstreamvggt_ros.inputs.folder import FileSequence
from xstreamvggt_ros.inputs.payloads import Calibration
from xstreamvggt_ros.inputs.problems import Problems
from xstreamvggt_ros.inputs.sequence import DamagedFrame, FrameTruth, SequenceFrame

LAYOUT = 'rosbag'
TOLERANCE_S = 0.02


def open_rosbag(
    path: Path,
    topic: str = '',
    depth_topic: str = '',
    truth: str = '',
    world_frame: str = '',
    body_frame: str = '',
    tolerance_s: float = TOLERANCE_S,
) -> FileSequence:
    """
    Open a bag: a folder, .mcap or .db3.

    topic: of the images, needed where there are several. depth_topic: '' takes the only one.
    truth, world_frame, body_frame: as TruthOptions has them.
    """
    found = find_bag(path)
    if found is None:
        raise InputError(f'{path} is no rosbag2: a folder with metadata.yaml, an .mcap or a .db3')
    if not 0 <= tolerance_s <= 10:
        raise InputError(f'tolerance_s is {tolerance_s}; give 0 to 10 seconds')
    options = TruthOptions(truth, world_frame, body_frame)
    loader = _Loader(found, topic, depth_topic, options, round(tolerance_s * NANOSECONDS))
    root = found if found.is_dir() else found.parent
    files = [each for each in found.rglob('*') if each.is_file()] if found.is_dir() else [found]
    if is_file_source(truth):
        files.append(Path(truth))
    return FileSequence(
        # A bag holds as many sequences as image topics.
        found.stem + topic,
        LAYOUT,
        loader.frames(),
        root,
        tuple(files),
        loader.problems,
        topic=loader.topic,
        transport=loader.transport,
    )


@dataclass(frozen=True)
class _Image:
    """An image, and the camera_info that is its: the last before it, by number."""

    place: Place
    frame_id: str
    info: int


class _Loader:
    """One pass over a bag: what is where, and all that is small."""

    def __init__(
        self, path: Path, topic: str, depth_topic: str, options: TruthOptions, tolerance_ns: int
    ) -> None:
        self.problems = Problems()
        self._bag = BagFile(path)
        reader = self._bag.reader
        kinds = image_topics(reader)
        self._image_topic = choose_topic(path, topic, kinds, reader)
        compressed = kinds[self._image_topic][0] == COMPRESSED
        self.transport = 'compressed' if compressed else 'raw'
        self.topic = self._image_topic.removesuffix(COMPRESSED_SUFFIX)
        self._depth_topic = choose_depth_topic(path, depth_topic, kinds, self._image_topic)
        self._info_topic = sibling(self.topic, 'camera_info')
        self._depth_info_topic = sibling(untransported(self._depth_topic), 'camera_info')
        self._truth_topic = source_topic(options, reader)
        self._tolerance_ns = tolerance_ns
        self._transforms = BagTransforms(self.problems)
        self._poses = PoseTrack(options, self._transforms, tolerance_ns, self.problems)
        self._images: dict[int, _Image] = {}
        self._depths: dict[int, Place] = {}
        # Different ones of the images, in order, each with the camera it describes.
        self._infos: list[tuple[Calibration, CameraModel | None]] = []
        self._doubled: Counter[str] = Counter()
        self._depth_camera: CameraModel | None = None
        self._index()

    def frames(self) -> tuple[SequenceFrame, ...]:
        """Make the frames, in order of their stamps."""
        stamps = sorted(self._images)
        if not stamps:
            raise InputError(f'{self._bag.path} has no whole image on {self._image_topic}')
        self._poses.finish(self._images[stamps[0]].frame_id)
        depth_stamps = sorted(self._depths)
        nearest = nearest_stamps(depth_stamps, stamps, self._tolerance_ns)
        frames, lost = [], {'depth': [], 'pose': []}
        for stamp, index in zip(stamps, nearest.tolist(), strict=True):
            depth = self._depths[depth_stamps[index]] if index >= 0 else None
            pose = self._poses.at(stamp)
            for what, value in (('depth', depth), ('pose', pose)):
                lost[what] += [str(stamp)] if value is None else []
            frames.append(self._frame(stamp, depth, pose))
        for what, names in lost.items():
            # A bag without any truth lacks nothing that it ought to have.
            if len(names) < len(stamps):
                self.problems.add_missing(
                    f'{self._bag.path}: no {what} near in time', names, len(stamps)
                )
        return tuple(frames)

    def _frame(self, stamp: int, depth: Place | None, pose) -> SequenceFrame:
        image = self._images[stamp]
        # Before the first camera_info the first is in force, as it will be.
        known = self._infos[max(image.info, 0)] if self._infos else (None, None)
        calibration, camera = known
        # Depth without a calibration of its own is registered to the images.
        depth_camera = self._depth_camera or camera
        intrinsics = None if depth_camera is None else depth_camera.intrinsics
        return SequenceFrame(
            stamp,
            str(stamp),
            camera,
            partial(self._read, image.place, decode),
            partial(self._truth, depth, pose, intrinsics),
            partial(self._read, image.place, payload_of),
            calibration,
            image.frame_id,
            read_pose=lambda: pose,
        )

    def _read(self, place: Place, take):
        """Take something of an image's message; DamagedFrame, and a problem, where that fails."""
        try:
            return take(self._bag.message(place))
        except Exception as error:  # noqa: BLE001 parsers of damaged bytes raise what they please
            text = f'{place.topic}: the image at {place.stamp_ns} ns is left out, damaged: {error}'
            self.problems.add(text, f'images on {place.topic} that are left out')
            raise DamagedFrame(text) from error

    def _truth(self, place: Place | None, pose, intrinsics) -> FrameTruth:
        depth = None
        if place is not None:
            try:
                depth = metres(self._bag.message(place))
            except Exception as error:  # noqa: BLE001 damaged bytes raise nearly anything
                text = f'{place.topic}: no depth at {place.stamp_ns} ns, damaged: {error}'
                self.problems.add(text, f'depth on {place.topic} that is left out')
        return FrameTruth(depth, pose, intrinsics)

    def _index(self) -> None:
        topics = {self._image_topic, self._depth_topic, self._info_topic, self._depth_info_topic}
        topics |= {self._truth_topic, TF, TF_STATIC}
        for kind, place, cdr in self._bag.walk(topics - {''}, self.problems):
            if place.topic == self._image_topic:
                found = _Image(place, frame_id_of(cdr), len(self._infos) - 1)
                self._keep(self._images, place, found)
            elif kind in (IMAGE, COMPRESSED):
                self._keep(self._depths, place, place)
            else:
                self._take(kind, place, cdr)
        for topic, count in self._doubled.items():
            self.problems.add(
                f'{topic}: {count} images have the stamp of another, the first of each is kept'
            )

    def _keep(self, places: dict, place: Place, found) -> None:
        if places.setdefault(place.stamp_ns, found) is not found:
            self._doubled[place.topic] += 1

    def _take(self, kind: str, place: Place, cdr: bytes) -> None:
        """Look into a small message; one that is damaged is named."""
        try:
            self._take_message(kind, place, self._bag.reader.deserialize(cdr, kind))
        except Exception as error:  # noqa: BLE001 damaged bytes raise nearly anything
            text = f'{place.topic}: a message at {place.log_ns} ns is damaged: {error}'
            self.problems.add(text, f'messages on {place.topic} that are left out')

    def _take_message(self, kind: str, place: Place, message) -> None:
        if kind == CAMERA_INFO:
            self._take_info(place.topic, message)
        elif place.topic in (TF, TF_STATIC):
            self._transforms.take(message, place.topic == TF_STATIC)
        elif place.topic == self._truth_topic:
            self._poses.take(kind, place.stamp_ns, message)

    def _take_info(self, topic: str, message) -> None:
        if topic == self._info_topic:
            calibration = Calibration.of_message(message)
            if not self._infos or self._infos[-1][0] != calibration:
                self._infos.append((calibration, self._camera(topic, message, self.topic)))
        elif self._depth_camera is None:
            self._depth_camera = self._camera(topic, message, self._depth_topic)

    def _camera(self, topic: str, message, images: str) -> CameraModel | None:
        try:
            return CameraModel.of_message(message, is_rectified(images))
        except ValueError as error:
            self.problems.add(f'{topic} is left out: {error}')
            return None
